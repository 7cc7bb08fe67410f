package dev.mainstay.testkit.azure;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.util.BinaryData;
import com.azure.storage.blob.BlobServiceClient;
import com.azure.storage.blob.BlobServiceClientBuilder;
import com.azure.storage.blob.sas.BlobContainerSasPermission;
import com.azure.storage.blob.sas.BlobServiceSasSignatureValues;
import com.azure.storage.common.StorageSharedKeyCredential;

import org.junit.jupiter.api.Assumptions;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Microsoft's emulator, run by Node.js, on a free port of this host, with its objects in memory: it
/// checks signatures and heeds conditions. It knows no versions and no immutability.
///
/// `.ci/run` installs it; `MAINSTAY_AZURITE` names its folder, else `~/.cache/mainstay-tests/azurite`.
public final class Azurite implements AutoCloseable {
    public static final String ACCOUNT = "mainstaytest";

    private static final String PROGRAM = "node_modules/.bin/azurite-blob";
    private static final Pattern LISTENS = Pattern.compile("listens on http://127.0.0.1:(\\d+)");

    static {
        // as the product does; the JDK reads it once
        System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
    }

    private final Process process;
    private final URI endpoint;
    private final String key;
    private final BlobServiceClient service;

    private Azurite(Process process, URI endpoint, String key) {
        this.process = process;
        this.endpoint = endpoint;
        this.key = key;
        this.service =
                new BlobServiceClientBuilder()
                        .httpClient(new JdkHttpClientBuilder().build())
                        .endpoint(endpoint.toString())
                        .credential(new StorageSharedKeyCredential(ACCOUNT, key))
                        .buildClient();
    }

    private static Path program() {
        String named = System.getenv("MAINSTAY_AZURITE");
        Path folder =
                named == null
                        ? Path.of(System.getProperty("user.home"), ".cache/mainstay-tests/azurite")
                        : Path.of(named);
        return folder.resolve(PROGRAM);
    }

    /// Starts a server without containers. Where it is not installed the test is skipped, saying
    /// loudly what is missing.
    public static Azurite start() throws IOException {
        Path program = program();
        if (!Files.isExecutable(program)) {
            System.err.println("SKIPPED: " + program + " is missing; .ci/run installs it");
        }
        Assumptions.assumeTrue(Files.isExecutable(program), "no " + program);
        String key =
                Base64.getEncoder().encodeToString(UUID.randomUUID().toString().getBytes(US_ASCII));
        ProcessBuilder builder =
                new ProcessBuilder(
                        program.toString(),
                        "--blobHost",
                        "127.0.0.1",
                        "--blobPort",
                        "0",
                        "--inMemoryPersistence",
                        "--disableTelemetry",
                        "--skipApiVersionCheck");
        builder.environment().put("AZURITE_ACCOUNTS", ACCOUNT + ":" + key);
        Process process = builder.redirectErrorStream(true).start();
        return new Azurite(process, endpoint(process), key);
    }

    /// Its word that it listens; what it says later is read, too, or it would stop once the pipe is
    /// full.
    private static URI endpoint(Process process) throws IOException {
        BufferedReader said = process.inputReader();
        StringBuilder all = new StringBuilder();
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            all.append(line).append('\n');
            Matcher listens = LISTENS.matcher(line);
            if (listens.find()) {
                Thread.ofVirtual().start(() -> drain(said));
                return URI.create("http://127.0.0.1:" + listens.group(1) + "/" + ACCOUNT);
            }
        }
        throw new IOException("Azurite does not start:\n" + all);
    }

    private static void drain(BufferedReader said) {
        try {
            while (said.readLine() != null) {
                // thrown away
            }
        } catch (IOException _) {
            // it ended
        }
    }

    /// Of the account's blobs.
    public URI endpoint() {
        return endpoint;
    }

    public String accountKey() {
        return key;
    }

    public String connectionString() {
        return "DefaultEndpointsProtocol=http;AccountName="
                + ACCOUNT
                + ";AccountKey="
                + key
                + ";BlobEndpoint="
                + endpoint
                + ";";
    }

    public void makeContainer(String name) {
        service.createBlobContainer(name);
    }

    /// A signature for a container that is good for an hour.
    ///
    /// @param permissions as Azure writes them: `rlcd`
    public String sas(String container, String permissions) {
        return sas(container, permissions, OffsetDateTime.now(ZoneOffset.UTC).plusHours(1));
    }

    public String sas(String container, String permissions, OffsetDateTime until) {
        return service.getBlobContainerClient(container)
                .generateSas(
                        new BlobServiceSasSignatureValues(
                                until, BlobContainerSasPermission.parse(permissions)));
    }

    /// Puts an object by other means than ours.
    public void put(String container, String name, String content) {
        service.getBlobContainerClient(container)
                .getBlobClient(name)
                .upload(BinaryData.fromString(content));
    }

    /// How many objects begin with a prefix.
    public long count(String container, String prefix) {
        return service.getBlobContainerClient(container).listBlobs().stream()
                .filter(blob -> blob.getName().startsWith(prefix))
                .count();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            process.getInputStream().close();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
        } catch (IOException unread) {
            throw new UncheckedIOException(unread);
        }
    }
}
