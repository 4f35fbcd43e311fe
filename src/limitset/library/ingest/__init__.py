"""How does something new enter a library, and what does it change?"""
