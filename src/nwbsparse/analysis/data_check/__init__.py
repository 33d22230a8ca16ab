"""What is wrong, odd or too little in a recording, before anything is learned from it."""
