package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/// What is planted is found, whatever it looks like; here it is taken away again before the scan of
/// every test finds it, too.
class SecretScanTest {
    @TempDir private Path folder;

    private List<String> planted(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
        List<String> found = SecretScan.of(folder);
        Files.delete(file);
        return found;
    }

    @Test
    void aSecretIsFoundHoweverItIsWritten() throws IOException {
        String secret = TestSecrets.of("password");
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        assertThat(planted("log", "logged in with " + secret)).hasSize(1);
        assertThat(planted("log", HexFormat.of().formatHex(bytes))).hasSize(1);
        for (String before : List.of("", "u", "u:", "us:", "use:", "user:")) {
            String text =
                    Base64.getEncoder()
                            .encodeToString((before + secret).getBytes(StandardCharsets.UTF_8));
            assertThat(planted("log", "Basic " + text)).as(before).isNotEmpty();
        }
    }

    @Test
    void whatAnAnswerWasToldItDoesNotSay() {
        assertThat(SecretScan.demandNoneIn("it", "mst_made")).isEqualTo("mst_made");
        assertThatThrownBy(() -> SecretScan.demandNoneIn("it", "x" + TestSecrets.of("password")))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("in it")
                .hasMessageNotContaining("password");
    }

    @Test
    void aSecretIsFoundWhereverItStands() throws IOException {
        String secret = TestSecrets.of("password");
        for (int at : List.of(0, 1, (1 << 20) - 5, (1 << 20) - 1, 1 << 20, 3 << 20)) {
            assertThat(planted("state.mv.db", "\0".repeat(at) + secret + "\0"))
                    .as("at %d", at)
                    .singleElement()
                    .asString()
                    .contains("state.mv.db")
                    .doesNotContain(secret);
        }
    }

    @Test
    void whatTheProductMakesIsFoundWithoutAMark() throws IOException {
        String text = "A-b_".repeat(11).substring(0, 43);
        for (String made :
                List.of(
                        "mst_" + text,
                        "msc_" + text,
                        "mainstay-key-1 " + text,
                        "eyJ" + text + "." + text + "." + text,
                        "-----BEGIN PRIVATE KEY-----\n" + "Ab/+".repeat(20))) {
            assertThat(planted("answer", "x " + made + " y")).as(made).hasSize(1);
        }
        assertThat(planted("answer", "mst_wrong msc_ mainstay-key-1 eyJx -----BEGIN ")).isEmpty();
    }

    @Test
    void aSecretMayBeWhereItIsSupposedToBe() throws IOException {
        String secret = TestSecrets.of("password");
        for (String name : List.of("mainstay.yaml", "repository.key", "db-password", "key.pem")) {
            assertThat(planted(name, secret)).as(name).isEmpty();
        }
        for (String name : List.of("mainstay.yaml.log", "keys", "output", "passwords.db")) {
            assertThat(planted(name, secret)).as(name).isNotEmpty();
        }
    }

    @Test
    void theFolderOfATestIsLookedThroughBeforeItIsDeleted() throws IOException {
        ServerDirectory directory = ServerDirectory.create();
        Files.writeString(directory.path().resolve("log"), TestSecrets.of("password"));
        assertThatThrownBy(directory::close)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("/log");
        assertThat(directory.path()).doesNotExist();
    }
}
