package dev.mainstay.repository.crypto;

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Provider;
import java.security.Security;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;

/// A token of SoftHSM with an AES key in it that cannot leave it. SoftHSM reads where its tokens
/// are from the environment, so all tests of a process share one folder.
final class SoftToken {
    static final Path LIBRARY = Path.of("/usr/lib/softhsm/libsofthsm2.so");
    static final String PIN = "1234";
    private static final Path FOLDER = folder();

    private SoftToken() {}

    /// Where the build says that the configuration is.
    private static Path folder() {
        Path file = Path.of(String.valueOf(System.getenv("SOFTHSM2_CONF"))).toAbsolutePath();
        return java.util.Objects.requireNonNull(file.getParent());
    }

    /// Skips the test, and says so, where SoftHSM is not installed.
    static void demand() {
        boolean there =
                Files.isReadable(LIBRARY)
                        && String.valueOf(System.getenv("SOFTHSM2_CONF")).startsWith("/");
        if (!there) {
            System.err.println(
                    "NOT TESTED: keys in PKCS#11 tokens (no softhsm2, or SOFTHSM2_CONF is not"
                            + " set)");
        }
        Assumptions.assumeTrue(there, "softhsm2 is not installed, or SOFTHSM2_CONF not set");
    }

    /// Makes a token.
    ///
    /// @return its slot
    static long make(String label) throws IOException, InterruptedException {
        Files.createDirectories(FOLDER.resolve("tokens"));
        Files.writeString(
                FOLDER.resolve("softhsm2.conf"),
                "directories.tokendir = " + FOLDER.resolve("tokens") + "\nlog.level = ERROR\n");
        Process process =
                new ProcessBuilder(
                                List.of(
                                        "softhsm2-util",
                                        "--init-token",
                                        "--free",
                                        "--label",
                                        label,
                                        "--pin",
                                        PIN,
                                        "--so-pin",
                                        "4321"))
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Matcher slot = Pattern.compile("reassigned to slot (\\d+)").matcher(said);
        if (process.waitFor() != 0 || !slot.find()) {
            throw new IOException(said);
        }
        return Long.parseLong(slot.group(1));
    }

    /// Makes a key that stays in the token.
    static void key(long slot, String label) throws GeneralSecurityException, IOException {
        Provider provider =
                Security.getProvider("SunPKCS11")
                        .configure(
                                "--name = test"
                                        + slot
                                        + "\nlibrary = "
                                        + LIBRARY
                                        + "\nslot = "
                                        + slot
                                        + "\nattributes(generate, CKO_SECRET_KEY, CKK_AES) = {\n"
                                        + "  CKA_TOKEN = true\n  CKA_SENSITIVE = true\n"
                                        + "  CKA_EXTRACTABLE = false\n  CKA_ENCRYPT = true\n"
                                        + "  CKA_DECRYPT = true\n}\n");
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, PIN.toCharArray());
        KeyGenerator generator = KeyGenerator.getInstance("AES", provider);
        generator.init(256);
        SecretKey key = generator.generateKey();
        if (key.getEncoded() != null) {
            throw new GeneralSecurityException("the key can leave the token");
        }
        store.setKeyEntry(label, key, null, null);
    }
}
