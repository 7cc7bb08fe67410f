package dev.mainstay.engine.config;

import java.util.Map;

/// `${NAME}` and `${NAME:default}`.
///
/// An expression may stand unquoted anywhere in the file, also between the braces of `{ key: … }`
/// where YAML gives its letters a meaning. So [#protect] first replaces every ASCII letter of an
/// expression that could have one by a letter of the private use area, one for one, so that lines
/// and columns stay; YAML is parsed; and [#expand] then works on single values, so that nothing an
/// environment variable holds can change the structure of the file.
///
/// A default may hold expressions itself and ends at the matching brace. `$${` stands for `${`.
final class Expansion {
    private static final char PRIVATE = '\uE000';
    private static final char OPEN = PRIVATE + '{';

    private final Map<String, String> environment;

    Expansion(Map<String, String> environment) {
        this.environment = environment;
    }

    /// A variable without a value and without a default.
    static final class Unset extends Exception {
        Unset(String name) {
            super("environment variable " + name + " is not set");
        }
    }

    /// An expression that is none.
    static final class Malformed extends Exception {
        Malformed(String message) {
            super(message);
        }
    }

    /// Whether the text holds letters that [#protect] needs for itself.
    static boolean isAmbiguous(String text) {
        return text.chars().anyMatch(c -> c >= PRIVATE && c < PRIVATE + 128);
    }

    static String protect(String yaml) {
        char[] text = yaml.toCharArray();
        for (int at = yaml.indexOf("${"); at >= 0; at = yaml.indexOf("${", at + 2)) {
            int end = endOfExpression(text, at);
            for (int i = at + 1; i < end; i++) {
                if (text[i] < 128 && !Character.isLetterOrDigit(text[i])) {
                    text[i] += PRIVATE;
                }
            }
            at = Math.max(at, end - 2);
        }
        return new String(text);
    }

    /// The index after the brace that closes the expression at `at`, on the same line; `at` if none
    /// does.
    private static int endOfExpression(char[] text, int at) {
        int depth = 0;
        for (int i = at + 1; i < text.length && text[i] != '\n' && text[i] != '\r'; i++) {
            if (text[i] == '{') {
                depth++;
            } else if (text[i] == '}' && --depth == 0) {
                return i + 1;
            }
        }
        return at;
    }

    static boolean isIn(String protectedValue) {
        return protectedValue.indexOf("$" + OPEN) >= 0;
    }

    String expand(String protectedValue) throws Unset, Malformed {
        int lone = protectedValue.indexOf("${");
        if (lone >= 0) {
            throw new Malformed("'${' without its '}' (write $${ for the letters themselves)");
        }
        return expandPlain(unprotect(protectedValue), isIn(protectedValue));
    }

    private String expandPlain(String text, boolean expressions) throws Unset, Malformed {
        if (!expressions) {
            return text;
        }
        StringBuilder result = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            if (text.startsWith("$${", at)) {
                int end = endOfExpression(text.toCharArray(), at + 1);
                result.append(text, at + 1, end);
                at = end;
            } else if (text.startsWith("${", at)) {
                int end = endOfExpression(text.toCharArray(), at);
                result.append(value(text.substring(at + 2, end - 1)));
                at = end;
            } else {
                result.append(text.charAt(at++));
            }
        }
        return result.toString();
    }

    private String value(String expression) throws Unset, Malformed {
        int colon = expression.indexOf(':');
        String name = colon < 0 ? expression : expression.substring(0, colon);
        if (!isName(name)) {
            throw new Malformed("'" + name + "' is no name of an environment variable");
        }
        String value = environment.get(name);
        if (value != null) {
            return value;
        }
        if (colon < 0) {
            throw new Unset(name);
        }
        return expandPlain(expression.substring(colon + 1), true);
    }

    private static boolean isName(String text) {
        return !text.isEmpty()
                && !Character.isDigit(text.charAt(0))
                && text.chars()
                        .allMatch(c -> c == '_' || (c < 128 && Character.isLetterOrDigit(c)));
    }

    private static String unprotect(String text) {
        if (!isAmbiguous(text)) {
            return text;
        }
        char[] letters = text.toCharArray();
        for (int i = 0; i < letters.length; i++) {
            if (letters[i] >= PRIVATE && letters[i] < PRIVATE + 128) {
                letters[i] -= PRIVATE;
            }
        }
        return new String(letters);
    }
}
