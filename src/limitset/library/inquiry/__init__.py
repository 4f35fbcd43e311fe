"""What do the holdings say to a question, and what do they not?"""
