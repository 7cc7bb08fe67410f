package dev.mainstay.postgres.protocol;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Set;

import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;

/// A certificate and its key from PEM files, which a client shows to a server that asks for one.
public final class ClientIdentity {
    private static final char[] NO_PASSWORD = new char[0];

    private ClientIdentity() {}

    /// @param certificate the client's own first, then those that vouch for it
    /// @param key PKCS#8 without a password, that nobody else may read
    /// @throws SSLException naming the file that cannot be used
    public static KeyManager[] read(Path certificate, Path key)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        PrivateKey secret = privateKey(key);
        Certificate[] chain = certificates(certificate).toArray(Certificate[]::new);
        store.setKeyEntry("client", secret, NO_PASSWORD, chain);
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    /// All certificates of a PEM file, at least one.
    ///
    /// @throws SSLException naming the file that cannot be used
    public static Collection<? extends Certificate> certificates(Path file)
            throws GeneralSecurityException, IOException {
        Collection<? extends Certificate> found =
                CertificateFactory.getInstance("X.509")
                        .generateCertificates(new ByteArrayInputStream(read(file)));
        if (found.isEmpty()) {
            throw new SSLException("'" + file + "' holds no certificate");
        }
        return found;
    }

    private static byte[] read(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException unreadable) {
            throw new SSLException("'" + file + "' cannot be read: " + unreadable, unreadable);
        }
    }

    private static PrivateKey privateKey(Path file) throws GeneralSecurityException, IOException {
        String pem = new String(read(file), StandardCharsets.US_ASCII);
        refuseOpenKey(file);
        String begin = "-----BEGIN PRIVATE KEY-----";
        int start = pem.indexOf(begin);
        int end = pem.indexOf("-----END PRIVATE KEY-----");
        if (start < 0 || end < start) {
            throw new SSLException(
                    "'"
                            + file
                            + "' is no plain PKCS#8 key in PEM; convert it with 'openssl pkcs8"
                            + " -topk8 -nocrypt'");
        }
        byte[] der;
        try {
            der = Base64.getMimeDecoder().decode(pem.substring(start + begin.length(), end));
        } catch (IllegalArgumentException damaged) {
            throw new SSLException("'" + file + "' is damaged", damaged);
        }
        for (String algorithm : List.of("RSA", "EC", "EdDSA", "RSASSA-PSS")) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (InvalidKeySpecException _) {
                // of another kind
            }
        }
        throw new SSLException("'" + file + "' holds a key of an unknown kind");
    }

    private static void refuseOpenKey(Path file) throws IOException {
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (view == null) {
            return;
        }
        Set<PosixFilePermission> permissions = view.readAttributes().permissions();
        boolean rootOwned = view.readAttributes().owner().getName().equals("root");
        for (PosixFilePermission permission : permissions) {
            boolean owner = permission.name().startsWith("OWNER_");
            boolean groupRead = permission == PosixFilePermission.GROUP_READ && rootOwned;
            if (!owner && !groupRead) {
                throw new SSLException(
                        "key file '" + file + "' can be read by others; it must be 0600");
            }
        }
    }
}
