"""What do the plain files of a library say?"""
