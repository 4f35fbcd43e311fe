"""How do a claim, the index and an answer become pages?"""
