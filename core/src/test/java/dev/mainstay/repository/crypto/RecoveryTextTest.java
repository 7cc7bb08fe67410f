package dev.mainstay.repository.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// Keys that people type.
class RecoveryTextTest {
    private static final long SEED = 20261122;

    private static byte[] parse(String text) {
        return RecoveryText.parse("page", text).secret();
    }

    private static List<byte[]> secrets() {
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        List<byte[]> secrets = new ArrayList<>();
        secrets.add(new byte[32]);
        for (int i = 0; i < 200; i++) {
            byte[] secret = new byte[32];
            random.nextBytes(secret);
            if (i % 5 == 0) {
                secret[0] = (byte) (i % 2 == 0 ? 0 : 255);
            }
            secrets.add(secret);
        }
        return secrets;
    }

    @Test
    void whatIsPrintedIsRead() {
        for (byte[] secret : secrets()) {
            List<String> lines = RecoveryText.lines(secret);
            assertThat(lines)
                    .hasSize(4)
                    .allMatch(line -> line.matches("[1-4]  (?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}"));
            assertThat(parse(String.join("\n", lines))).isEqualTo(secret);
        }
    }

    @Test
    void casesSpacesOrderAndOtherTextDoNotMatter() {
        Random random = new Random(SEED);
        for (byte[] secret : secrets()) {
            List<String> lines = new ArrayList<>(RecoveryText.lines(secret));
            Collections.shuffle(lines, random);
            String text =
                    "Dear reader,\nTake 4 pages of paper.\n\n   "
                            + String.join("\r\n   ", lines)
                                    .toLowerCase(Locale.ROOT)
                                    .replace('0', 'o')
                                    .replace('1', 'l')
                                    .replaceAll("(?m)^(\\s*)l ", "$11. ")
                                    .replace('-', ' ')
                            + "\nYours";
            assertThat(parse(text)).as(text).isEqualTo(secret);
        }
    }

    @Test
    void aTypingErrorIsToldWithItsLine() {
        Random random = new Random(SEED);
        int undetected = 0;
        int tried = 0;
        for (byte[] secret : secrets()) {
            String text = String.join("\n", RecoveryText.lines(secret));
            int line = random.nextInt(4);
            int group = random.nextInt(4);
            int at = line * 23 + 3 + group * 5 + random.nextInt(4);
            char other = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".charAt(random.nextInt(32));
            if (text.charAt(at) == other) {
                continue;
            }
            tried++;
            String wrong = text.substring(0, at) + other + text.substring(at + 1);
            try {
                parse(wrong);
                undetected++;
            } catch (MainstayException told) {
                assertThat(told.code()).isEqualTo(ErrorCode.KEY_FILE_INVALID);
                assertThat(told.getMessage()).contains("line " + (line + 1));
            }
        }
        assertThat(tried).isGreaterThan(150);
        assertThat(undetected).isZero(); // 1 in 32768
    }

    @Test
    void whatIsMissingIsTold() {
        List<String> lines = RecoveryText.lines(new byte[32]);
        assertThatThrownBy(() -> parse(lines.get(0) + "\n" + lines.get(1) + "\n" + lines.get(3)))
                .hasMessageContaining("line 3 is missing");
        assertThatThrownBy(() -> parse("")).hasMessageContaining("line 1 is missing");
        assertThatThrownBy(() -> parse(String.join("\n", lines).replace("\n2  ", "\n3  ")))
                .hasMessageContaining("line 3");
    }
}
