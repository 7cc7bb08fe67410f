package dev.mainstay.engine.retention;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/// Tables that people can check: what each policy makes of a list of backups.
class RetentionGoldenTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "count-and-days",
                "periods",
                "window",
                "window-branched",
                "went-back",
                "minimum-and-maximum",
                "holds",
                "damaged-pages",
                "clock-jumped",
                "upgraded",
                "summer-time",
                "no-policy",
                "copy-of-the-months",
                "copy-of-the-last-days",
                "preset-full-90-days"
            })
    void whatTheTableSaysIsDecided(String name) throws IOException {
        try (InputStream in =
                Objects.requireNonNull(getClass().getResourceAsStream(name + ".txt"), name)) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(RetentionTable.read(text).decided()).as(name).isEqualTo(text);
        }
    }
}
