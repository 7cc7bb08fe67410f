package dev.mainstay.repository.crypto;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A recovery key as people read and type it: four numbered lines of four groups of four letters,
/// in the alphabet of Crockford's Base32. Each line has 65 bits of the key (the first one less) and
/// 15 bits of a check over its number and its letters, so that a typing error is told with its
/// line.
public final class RecoveryText {
    private static final String ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final int LINES = 4;
    private static final int LETTERS = 13;
    private static final int CHECK = 3;
    private static final int SECRET_BYTES = 32;

    /// A line of the key may stand anywhere in the text, such as between instructions.
    private static final Pattern LINE =
            Pattern.compile(
                    "^[\\s>|*]*([1-4])[.):]?\\s+((?:[0-9A-Za-z]{4}[\\s-]+){3}[0-9A-Za-z]{4})\\s*$",
                    Pattern.MULTILINE);

    private RecoveryText() {}

    /// Four lines, `1 ABCD-EFGH-JKMN-PQRS` and so on.
    public static List<String> lines(byte[] secret) {
        StringBuilder letters = new StringBuilder();
        BigInteger number = new BigInteger(1, secret);
        for (int i = LINES * LETTERS - 1; i >= 0; i--) {
            letters.append(ALPHABET.charAt(number.shiftRight(5 * i).intValue() & 31));
        }
        List<String> lines = new ArrayList<>();
        for (int line = 1; line <= LINES; line++) {
            String part = letters.substring((line - 1) * LETTERS, line * LETTERS);
            lines.add(line + "  " + grouped(part + check(line, part)));
        }
        return lines;
    }

    private static String grouped(String letters) {
        StringBuilder groups = new StringBuilder(letters);
        for (int at = letters.length() - 4; at > 0; at -= 4) {
            groups.insert(at, '-');
        }
        return groups.toString();
    }

    private static String check(int line, String letters) {
        byte[] text = (line + letters).getBytes(StandardCharsets.US_ASCII);
        byte[] hash = Bytes.sha256(text, 0, text.length);
        int bits = (hash[0] & 255) << 7 | (hash[1] & 255) >> 1;
        StringBuilder check = new StringBuilder();
        for (int i = CHECK - 1; i >= 0; i--) {
            check.append(ALPHABET.charAt(bits >> 5 * i & 31));
        }
        return check.toString();
    }

    /// Finds the four lines in a text; everything else in it is passed over.
    ///
    /// @param name of the file, for messages
    /// @throws MainstayException KEY_FILE_INVALID, with the line that is wrong
    public static Credential.RecoveryKey parse(String name, String text) {
        String[] parts = new String[LINES + 1];
        Matcher matcher = LINE.matcher(text);
        while (matcher.find()) {
            int line = Integer.parseInt(matcher.group(1));
            String letters = canonical(name, line, matcher.group(2));
            String part = letters.substring(0, LETTERS);
            if (!check(line, part).equals(letters.substring(LETTERS))) {
                throw invalid(name, "line " + line + " has a typing error");
            }
            if (parts[line] != null && !parts[line].equals(part)) {
                throw invalid(name, "there are two different lines " + line);
            }
            parts[line] = part;
        }
        BigInteger number = BigInteger.ZERO;
        for (int line = 1; line <= LINES; line++) {
            if (parts[line] == null) {
                throw invalid(name, "line " + line + " is missing, or has not four groups of four");
            }
            for (char letter : parts[line].toCharArray()) {
                number = number.shiftLeft(5).or(BigInteger.valueOf(ALPHABET.indexOf(letter)));
            }
        }
        return new Credential.RecoveryKey(name, secret(name, number));
    }

    /// What is easily mixed up means the same: O and 0, I, L and 1.
    private static String canonical(String name, int line, String typed) {
        String letters =
                typed.replaceAll("[\\s-]", "")
                        .toUpperCase(Locale.ROOT)
                        .replace('O', '0')
                        .replace('I', '1')
                        .replace('L', '1');
        if (letters.chars().anyMatch(letter -> ALPHABET.indexOf(letter) < 0)) {
            throw invalid(name, "line " + line + " has a letter that no key has (U)");
        }
        return letters;
    }

    private static byte[] secret(String name, BigInteger number) {
        if (number.bitLength() > 8 * SECRET_BYTES) {
            throw invalid(name, "line 1 has a typing error");
        }
        byte[] bytes = number.toByteArray();
        byte[] secret = new byte[SECRET_BYTES];
        int length = Math.min(bytes.length, SECRET_BYTES);
        System.arraycopy(bytes, bytes.length - length, secret, SECRET_BYTES - length, length);
        return secret;
    }

    private static MainstayException invalid(String name, String why) {
        return new MainstayException(
                ErrorCode.KEY_FILE_INVALID,
                "recovery key " + name + ": " + why,
                "type the four numbered lines as they are printed, each with four groups of four",
                null);
    }
}
