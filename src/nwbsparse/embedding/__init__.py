"""What a coder reads in place of counts."""
