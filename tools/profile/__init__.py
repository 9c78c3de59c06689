"""Where one build spends its time: its steps, with their files, bytes and system calls."""
