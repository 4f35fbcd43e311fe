"""How are maps of tensors solved, differentiated and enclosed? Algorithms, without a word about what they mean."""
