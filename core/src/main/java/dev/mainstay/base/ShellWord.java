package dev.mainstay.base;

import java.util.regex.Pattern;

/// Words of a command that people paste into a shell.
public final class ShellWord {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=@%+,-]+");

    private ShellWord() {}

    /// The word itself where a shell takes it as it is, else in quotes.
    public static String quote(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
