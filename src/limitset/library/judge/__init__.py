"""Does a claim hold when its protocol is run here and now?"""
