package dev.mainstay.testkit;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/// Secrets for tests, which [SecretScan] knows wherever they turn up. What the product makes itself
/// (tokens, confirmations, keys) and what everybody knows by its form (tokens of identity
/// providers, private keys) needs no mark.
public final class TestSecrets {
    /// In every secret of a test; of letters and digits alone, so that it is the same in an URL.
    private static final String MARK = "t3stS3cret4711";

    private TestSecrets() {}

    /// A secret for some purpose, the same each time.
    public static String of(String purpose) {
        return MARK + "-" + purpose;
    }

    /// The texts by which the mark is found, plain and as others would write it.
    static Map<String, String> marks() {
        Map<String, String> marks = new LinkedHashMap<>();
        byte[] mark = MARK.getBytes(StandardCharsets.UTF_8);
        marks.put("a test's secret", MARK);
        marks.put("a test's secret in hex", HexFormat.of().formatHex(mark));
        for (int before = 0; before < 3; before++) {
            byte[] shifted = new byte[before + mark.length];
            System.arraycopy(mark, 0, shifted, before, mark.length);
            String text = Base64.getEncoder().withoutPadding().encodeToString(shifted);
            // The letters that only depend on the mark, wherever it stands.
            int from = (before * 8 + 5) / 6;
            int to = shifted.length * 8 / 6;
            marks.put("a test's secret in base64, " + before, text.substring(from, to));
        }
        return marks;
    }

    /// Secrets that are known by what they begin with, and what follows in one.
    static Map<String, Pattern> forms() {
        Map<String, Pattern> forms = new LinkedHashMap<>();
        forms.put("mst_", Pattern.compile("[A-Za-z0-9_-]{43}"));
        forms.put("msc_", Pattern.compile("[A-Za-z0-9_-]{43}"));
        forms.put("mainstay-key-1 ", Pattern.compile("[A-Za-z0-9+/=_-]{40}"));
        forms.put("eyJ", Pattern.compile("[\\w-]{20,}\\.[\\w-]{20,}\\.[\\w-]{20}"));
        forms.put(
                "-----BEGIN ",
                Pattern.compile("(RSA |EC |ENCRYPTED )?PRIVATE KEY-----\\s*[\\w+/]{30}"));
        return forms;
    }
}
