package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.TestSecrets;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `keys` as people and scripts use it.
class KeysCommandTest {
    private static final Map<String, String> SECRETS =
            Map.of("NEW", TestSecrets.of("correct horse battery staple"), "EMPTY", "");

    private final Console console = new Console();
    @TempDir private Path folder;
    private Path key = Path.of("");

    @BeforeEach
    void init() throws IOException {
        key = folder.resolve("repository.key");
        configure("{ file: " + key + " }");
        assertThat(run("init")).as(console.err()).isZero();
    }

    private void configure(String way) throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%s
                  key: %s
                """
                        .formatted(folder.resolve("repository"), way));
    }

    private int run(String... arguments) {
        return console.run(folder, SECRETS, arguments);
    }

    private void succeeds(String... arguments) {
        assertThat(run(arguments)).as(console.out() + console.err()).isZero();
    }

    private void refuses(String code, String... arguments) {
        assertThat(run(arguments)).as(console.out()).isNotZero();
        assertThat(console.err()).contains(code).doesNotContain(SECRETS.get("NEW"));
    }

    /// The id in what the last command printed as JSON.
    private String recipient() {
        Matcher found = Pattern.compile("\"recipient\":\"([0-9a-f]{16})\"").matcher(console.out());
        assertThat(found.find()).as(console.out()).isTrue();
        return found.group(1);
    }

    @Test
    void aPassphraseIsAddedListedAndOpensWithoutTheKeyFile() throws IOException {
        succeeds("--output", "json", "keys", "list");
        assertThat(console.out()).contains("\"kind\":\"key-file\"", "\"thisKey\":\"yes\"");
        assertThat(console.out()).contains("one way in");
        succeeds("--output", "json", "keys", "add", "--passphrase-env", "NEW", "--label", "safe");
        assertThat(console.out()).doesNotContain(SECRETS.get("NEW"));
        String added = recipient();
        succeeds("keys", "list");
        assertThat(console.out()).contains("2 ways in", added, "safe", "passphrase");
        Files.delete(key);
        refuses("MS-0302", "backups");
        configure("{ passphrase: \"${NEW}\" }");
        succeeds("backups");
        succeeds("verify");
    }

    @Test
    void aNewKeyFileIsMadeAndTheOldOneGoes() throws IOException {
        succeeds("--output", "json", "keys", "list");
        String old = recipient();
        Path other = folder.resolve("other.key");
        succeeds("keys", "add", "--key-file", "other.key");
        assertThat(console.out()).contains("key: { file: " + other + " }");
        assertThat(other).exists();
        refuses("MS-0313", "keys", "add", "--key-file", other.toString());
        refuses("MS-0406", "keys", "remove", old);
        refuses("MS-0310", "keys", "remove", old, "--yes");
        succeeds("keys", "remove", old, "--yes", "--with-key-file", other.toString());
        assertThat(console.out()).contains("may have kept the root key");
        refuses("MS-0301", "backups");
        configure("{ file: " + other + " }");
        succeeds("backups");
        refuses("MS-0311", "keys", "remove", old, "--yes");
    }

    @Test
    void aChangedPassphraseTakesThePlaceOfTheKeyFile() throws IOException {
        refuses("MS-0406", "keys", "rewrap", "--passphrase-env", "NEW");
        succeeds("keys", "rewrap", "--passphrase-env", "NEW", "--yes");
        assertThat(console.out()).contains("key: { passphrase: ${NEW} }");
        refuses("MS-0301", "backups");
        configure("{ passphrase: \"${NEW}\" }");
        succeeds("keys", "list");
        assertThat(console.out()).contains("one way in", "passphrase").doesNotContain("key-file");
    }

    @Test
    void aNewEpochBeginsForThoseThatAreNotDropped() throws IOException {
        succeeds("--output", "json", "keys", "add", "--passphrase-env", "NEW");
        String passphrase = recipient();
        succeeds("--output", "json", "keys", "add", "--key-file", "lost.key");
        String lost = recipient();
        succeeds("keys", "rotate", "--plan", "--drop", lost);
        assertThat(console.out())
                .contains("2 of 3", "yes: its key is here", "yes: without its secret", "dropped");
        refuses("MS-0406", "keys", "rotate", "--drop", lost);
        refuses("MS-0311", "keys", "rotate", "--drop", "0123456789abcdef", "--yes");
        succeeds("keys", "rotate", "--drop", lost, "--yes");
        assertThat(console.out()).contains("epoch 2 of the root key began", passphrase);
        configure("{ file: " + folder.resolve("lost.key") + " }");
        refuses("MS-0308", "keys", "rotate", "--yes");
        succeeds("backups");
        configure("{ passphrase: \"${NEW}\" }");
        succeeds("keys", "list");
        assertThat(console.out()).contains("1-2");
        succeeds("verify");
        succeeds("keys", "remove", lost, "--yes");
    }

    @Test
    void thePrintedPageOpensTheRepositoryAsItIs() throws IOException {
        Path page = folder.resolve("page.txt");
        succeeds("keys", "escrow", "--to", page.toString(), "--label", "the safe");
        assertThat(Files.getPosixFilePermissions(page)).hasSize(2);
        String printed = Files.readString(page);
        assertThat(printed).contains("file://" + folder.resolve("repository"), "epochs 1");
        refuses("MS-0202", "keys", "escrow", "--to", page.toString());
        assertThat(page).hasContent(printed);
        Files.delete(key);
        configure("{ recovery-file: page.txt }");
        succeeds("backups");
        succeeds("keys", "list");
        assertThat(console.out()).contains("recovery-key", "the safe", "2 ways in");
        Files.writeString(page, printed.replaceFirst("(?m)^(  2  ....-)(.)", "$1?"));
        refuses("MS-0303", "backups");
        assertThat(console.err()).contains("line 2");
        refuses("MS-0303", "keys", "escrow", "--to", folder.resolve("another").toString());
        assertThat(folder.resolve("another")).doesNotExist();
    }

    @Test
    void aKeyOfAnyKindIsNamedByAnotherConfiguration() throws IOException {
        Files.writeString(
                folder.resolve("other.yaml"),
                "repository: { url: \"file:///x\", key: { passphrase: \"${NEW}\" } }\n");
        succeeds("keys", "add", "--key-of", "other.yaml");
        succeeds("--output", "json", "keys", "list");
        String own =
                Pattern.compile("\"([0-9a-f]{16})\",\"kind\":\"key-file\"")
                        .matcher(console.out())
                        .results()
                        .map(found -> found.group(1))
                        .findFirst()
                        .orElseThrow();
        succeeds("keys", "remove", own, "--yes", "--with-key-of", "other.yaml");
        refuses("MS-0301", "backups");
        configure("{ pkcs11: { library: /absent.so, pin: \"${NEW}\", key: mainstay } }");
        refuses("MS-0307", "backups");
        assertThat(console.err()).contains("PKCS#11 key 'mainstay' of /absent.so");
    }

    @Test
    void theNewKeyIsNamedNotGiven() {
        refuses("MS-0405", "keys");
        refuses("MS-0405", "keys", "add");
        refuses("MS-0405", "keys", "add", "--key-file", "a", "--passphrase-env", "NEW");
        refuses("MS-0404", "keys", "add", "--passphrase-env", "ABSENT");
        refuses("MS-0405", "keys", "add", "--passphrase-env", "EMPTY");
        refuses("MS-0302", "keys", "add", "--passphrase-file", "absent");
        assertThat(folder.resolve("a")).doesNotExist();
    }

    @Test
    void withoutEncryptionThereAreNoKeys() throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                "repository: { url: \"file://"
                        + folder.resolve("plain")
                        + "\", encryption: none }\n");
        succeeds("init");
        refuses("MS-0306", "keys", "list");
    }
}
