"""What is known about convergence, from where, how sure, until when, and can it be run again?"""
