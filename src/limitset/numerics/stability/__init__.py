"""How does a small error grow or shrink: eigenvalues, exponents, singular values, shocks."""
