package dev.mainstay.postgres.cluster;

import dev.mainstay.postgres.cluster.ConfigurationIncludes.Syntax;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which other files the text of a configuration file names (src/backend/utils/misc/guc-file.l,
/// src/backend/libpq/hba.c). What PostgreSQL would call a syntax error is passed over.
final class ConfigurationText {
    /// @param syntax of what is referred to
    record Reference(Kind kind, String path, Syntax syntax) {
        enum Kind {
            FILE,
            FILE_IF_EXISTS,
            DIRECTORY
        }
    }

    private static final Pattern SETTING =
            Pattern.compile(
                    "[ \\t\\r\\f]*(include|include_if_exists|include_dir)(?![\\w$.])[ \\t\\r\\f]*=?"
                            + "[ \\t\\r\\f]*(?:'((?:[^'\\\\]|\\\\.|'')*)'|([^\\s#'=]+)).*",
                    Pattern.CASE_INSENSITIVE);

    private ConfigurationText() {}

    static List<Reference> settings(String text) {
        List<Reference> references = new ArrayList<>();
        for (String line : text.lines().toList()) {
            Matcher matcher = SETTING.matcher(line);
            if (matcher.matches()) {
                String quoted = matcher.group(2);
                String path = quoted == null ? matcher.group(3) : unescape(quoted);
                kind(matcher.group(1).toLowerCase(Locale.ROOT))
                        .filter(_ -> !path.isEmpty())
                        .ifPresent(k -> references.add(new Reference(k, path, Syntax.SETTINGS)));
            }
        }
        return references;
    }

    static List<Reference> rules(String text, boolean directives) {
        List<Reference> references = new ArrayList<>();
        for (String line : text.replace("\\\r\n", "").replace("\\\n", "").lines().toList()) {
            List<Token> tokens = tokens(line);
            if (directives && tokens.size() > 1 && !tokens.getFirst().quoted) {
                Optional<Reference.Kind> kind = kind(tokens.getFirst().text);
                if (kind.isPresent()) {
                    references.add(new Reference(kind.get(), tokens.get(1).text, Syntax.RULES));
                    continue;
                }
            }
            for (Token token : tokens) {
                if (!token.quoted && token.text.length() > 1 && token.text.charAt(0) == '@') {
                    String path = token.text.substring(1);
                    references.add(new Reference(Reference.Kind.FILE, path, Syntax.NAMES));
                }
            }
        }
        return references;
    }

    private static Optional<Reference.Kind> kind(String directive) {
        return switch (directive) {
            case "include" -> Optional.of(Reference.Kind.FILE);
            case "include_if_exists" -> Optional.of(Reference.Kind.FILE_IF_EXISTS);
            case "include_dir" -> Optional.of(Reference.Kind.DIRECTORY);
            default -> Optional.empty();
        };
    }

    private static String unescape(String quoted) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < quoted.length(); i++) {
            char c = quoted.charAt(i);
            if (c == '\'') {
                i++; // the second of two
            } else if (c == '\\') {
                c = quoted.charAt(++i);
                switch (c) {
                    case 'b' -> c = '\b';
                    case 'f' -> c = '\f';
                    case 'n' -> c = '\n';
                    case 'r' -> c = '\r';
                    case 't' -> c = '\t';
                    case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                        int end = i + 1;
                        while (end < quoted.length() && end < i + 3 && isOctal(quoted, end)) {
                            end++;
                        }
                        c = (char) (Integer.parseInt(quoted, i, end, 8) & 0xFF);
                        i = end - 1;
                    }
                    default -> {
                        // stands for itself
                    }
                }
            }
            text.append(c);
        }
        return text.toString();
    }

    private static boolean isOctal(String text, int at) {
        return text.charAt(at) >= '0' && text.charAt(at) <= '7';
    }

    /// @param quoted begins with a quote, so that nothing in it has a special meaning
    private record Token(String text, boolean quoted) {}

    private static List<Token> tokens(String line) {
        List<Token> tokens = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        boolean begun = false;
        boolean startsQuoted = false;
        boolean inQuotes = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (!inQuotes && c == '#') {
                break;
            }
            if (!inQuotes && (c == ' ' || c == '\t' || c == '\r' || c == ',')) {
                if (begun) {
                    tokens.add(new Token(text.toString(), startsQuoted));
                }
                text.setLength(0);
                begun = false;
                startsQuoted = false;
            } else if (c == '"') {
                if (inQuotes && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                    text.append('"');
                    i++;
                } else {
                    startsQuoted |= !begun;
                    inQuotes = !inQuotes;
                }
                begun = true;
            } else {
                text.append(c);
                begun = true;
            }
        }
        if (begun) {
            tokens.add(new Token(text.toString(), startsQuoted));
        }
        return tokens;
    }
}
