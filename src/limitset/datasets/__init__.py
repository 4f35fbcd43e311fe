"""Questions with anchors, and planted data whose truth is known."""
