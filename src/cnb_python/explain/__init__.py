"""The explain phase: prints what a build would choose and reuse, without building."""
