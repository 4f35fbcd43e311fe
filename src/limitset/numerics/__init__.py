"""How are maps of tensors solved, differentiated and enclosed? Algorithms, not what they mean."""
