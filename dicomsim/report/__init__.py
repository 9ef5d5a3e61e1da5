"""What came of a run: lines and a table for people, JSON for programs. JUnit is pytest's."""
