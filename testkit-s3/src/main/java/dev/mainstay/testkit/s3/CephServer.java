package dev.mainstay.testkit.s3;

import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A Ceph object gateway on loopback, with everything in memory: real versioning, Object Lock and
/// bucket policies. It ignores `If-None-Match` on versioned buckets. Starting takes a quarter of a
/// minute, so there is one for all tests of a JVM; it ends with the JVM.
///
/// When the tests run as root, its programs run as an unprivileged user.
public final class CephServer {
    private static final List<String> PROGRAMS =
            List.of("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin");
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static @Nullable CephServer shared;

    private final ServerDirectory home;
    private final List<Process> processes = new ArrayList<>();
    private final int monitorPort = freePort();
    private final int port = freePort();
    private final User owner;

    /// Who may log in.
    public record User(String accessKeyId, String secretAccessKey) {
        @Override
        public String toString() {
            return "User[" + accessKeyId + "]";
        }
    }

    private CephServer(ServerDirectory home) {
        this.home = home;
        this.owner = start();
    }

    /// The gateway; where its programs are missing the test is skipped, saying loudly which.
    public static synchronized CephServer assume() {
        List<String> missing =
                PROGRAMS.stream().filter(each -> !isInstalled(each)).toList();
        if (!missing.isEmpty()) {
            System.err.println(
                    "SKIPPED: versioning, Object Lock and policies of S3 are not tested, for these"
                            + " programs are missing: "
                            + missing
                            + "; .ci/run installs them");
        }
        Assumptions.assumeTrue(missing.isEmpty(), "not installed: " + missing);
        if (shared == null) {
            CephServer server = new CephServer(ServerDirectory.create());
            shared = server;
        }
        return shared;
    }

    private static boolean isInstalled(String program) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("/usr/bin:/bin");
        return Stream.of(path.split(":"))
                .filter(folder -> !folder.isEmpty())
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private User start() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
        for (String folder : List.of("mon", "osd", "run", "log")) {
            home.directory(folder);
        }
        String id = UUID.randomUUID().toString();
        write("ceph.conf", configuration(id));
        String map = path("monmap");
        run("monmaptool", "--create", "--addv", "a", "v1:127.0.0.1:" + monitorPort, "--fsid", id,
                map);
        run(ceph("ceph-mon", "--mkfs", "-i", "a", "--monmap", map));
        daemon(ceph("ceph-mon", "-i", "a", "-f"));
        insist(ceph("ceph", "-s"));
        String uuid = UUID.randomUUID().toString();
        String disk = insist(ceph("ceph", "osd", "create", uuid)).strip();
        run(ceph("ceph-osd", "-i", disk, "--mkfs", "--osd-uuid", uuid));
        insist(ceph("ceph", "osd", "crush", "add", "osd." + disk, "1", "root=default", "host=h"));
        daemon(ceph("ceph-osd", "-i", disk, "-f"));
        Await.until("the disk", PATIENCE, () -> run(ceph("ceph", "osd", "stat")).contains("1 up"));
        daemon(ceph("radosgw", "-n", "client.rgw", "-f"));
        Await.until("the gateway", PATIENCE, this::answers);
        return user("owner");
    }

    private List<String> ceph(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(program, "-c", path("ceph.conf")));
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    private String path(String name) {
        return home.path().resolve(name).toString();
    }

    private boolean answers() throws IOException {
        HttpURLConnection asked = (HttpURLConnection) endpoint().toURL().openConnection();
        try {
            return asked.getResponseCode() > 0;
        } finally {
            asked.disconnect();
        }
    }

    private void write(String name, String text) {
        try {
            Path file = home.path().resolve(name);
            Files.writeString(file, text);
            ServerUser.giveToUnprivileged(file);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private String run(String... command) {
        return run(List.of(command));
    }

    private String run(List<String> command) {
        try {
            Path errors = home.path().resolve("log").resolve("commands");
            Process process =
                    ServerUser.of(home.path())
                            .process(command)
                            .redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()))
                            .start();
            String out =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(
                        command + " failed: " + out + Files.readString(errors));
            }
            return out;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(stopped);
        }
    }

    /// A monitor that is just starting may refuse anything.
    private String insist(List<String> command) {
        List<String> answers = new ArrayList<>();
        Await.until(
                String.join(" ", command),
                PATIENCE,
                () -> {
                    answers.add(run(command));
                    return true;
                });
        return answers.getLast();
    }

    private void daemon(List<String> command) {
        try {
            Path log = home.path().resolve("log").resolve(command.getFirst());
            processes.add(
                    ServerUser.of(home.path())
                            .process(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// Ends the processes that this started, the gateway first, and removes its files.
    private void stop() {
        for (Process process : processes.reversed()) {
            process.destroyForcibly();
        }
        for (Process process : processes) {
            try {
                process.waitFor(10, TimeUnit.SECONDS);
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }
        home.close();
    }

    /// A new user with no rights but on buckets that are its own.
    public User user(String name) {
        String unique = name + "-" + UUID.randomUUID().toString().substring(0, 8);
        User user = new User(unique, UUID.randomUUID().toString());
        run(
                ceph(
                        "radosgw-admin",
                        "-n",
                        "client.rgw",
                        "user",
                        "create",
                        "--uid=" + unique,
                        "--display-name=" + unique,
                        "--access-key=" + unique,
                        "--secret-key=" + user.secretAccessKey()));
        return user;
    }

    /// Whose all buckets of [#makeBucket] and [#makeLockedBucket] are.
    public User owner() {
        return owner;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /// A new bucket, without versions.
    ///
    /// @return its name
    public String makeBucket() {
        String name = "b-" + UUID.randomUUID();
        try (S3Client client = client(owner)) {
            client.createBucket(request -> request.bucket(name));
        }
        return name;
    }

    /// A new bucket with versioning and Object Lock, and no default retention.
    ///
    /// @return its name
    public String makeLockedBucket() {
        String name = "b-" + UUID.randomUUID();
        try (S3Client client = client(owner)) {
            client.createBucket(request -> request.bucket(name).objectLockEnabledForBucket(true));
        }
        return name;
    }

    /// What a user can do without Mainstay.
    public S3Client client(User user) {
        return S3Client.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(endpoint())
                .credentialsProvider(
                        StaticCredentialsProvider.create(
                                AwsBasicCredentials.create(
                                        user.accessKeyId(), user.secretAccessKey())))
                .httpClientBuilder(Apache5HttpClient.builder())
                .forcePathStyle(true)
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .serviceConfiguration(service -> service.chunkedEncodingEnabled(false))
                .build();
    }

    private String configuration(String id) {
        return """
        [global]
        fsid=%1$s
        mon_host=v1:127.0.0.1:%2$d
        public_addr=127.0.0.1
        cluster_addr=127.0.0.1
        ms_bind_msgr2=false
        auth_cluster_required=none
        auth_service_required=none
        auth_client_required=none
        auth_allow_insecure_global_id_reclaim=true
        run_dir=%3$s/run
        admin_socket=%3$s/run/$name.asok
        log_file=%3$s/log/$name.log
        log_to_stderr=false
        crash_dir=%3$s/run
        osd_pool_default_size=1
        osd_pool_default_min_size=1
        osd_pool_default_pg_num=1
        osd_pool_default_pgp_num=1
        osd_pool_default_pg_autoscale_mode=off
        osd_crush_chooseleaf_type=0
        mon_allow_pool_size_one=true
        mon_max_pg_per_osd=1000
        mon_data_avail_warn=1
        mon_data_avail_crit=1
        [mon.a]
        mon_data=%3$s/mon
        mon_initial_members=a
        [osd]
        osd_data=%3$s/osd
        osd_objectstore=memstore
        memstore_device_bytes=2147483648
        osd_max_object_name_len=2048
        osd_max_object_namespace_len=256
        osd_memory_target=939524096
        osd_class_update_on_start=false
        osd_crush_update_on_start=false
        [client.rgw]
        rgw_frontends=beast endpoint=127.0.0.1:%4$d
        rgw_enable_usage_log=false
        rgw_thread_pool_size=32
        rgw_crypt_require_ssl=false
        """
                .formatted(id, monitorPort, home.path(), port);
    }

    /// Below the range the kernel gives to outgoing connections.
    private static int freePort() {
        while (true) {
            int candidate = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try (ServerSocket _ =
                    new ServerSocket(candidate, 1, InetAddress.ofLiteral("127.0.0.1"))) {
                return candidate;
            } catch (IOException taken) {
                // another one, then
            }
        }
    }
}
