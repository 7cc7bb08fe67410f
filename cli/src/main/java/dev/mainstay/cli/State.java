package dev.mainstay.cli;

/// How something stands, coloured where people look.
enum State {
    OK("ok", "32"),
    WARNING("warning", "33"),
    FAILED("failed", "31"),
    PROBLEM("problem", "31");

    private final String word;
    private final String color;

    State(String word, String color) {
        this.word = word;
        this.color = color;
    }

    String colored(String text) {
        return "\u001b[" + color + "m" + text + "\u001b[0m";
    }

    @Override
    public String toString() {
        return word;
    }
}
