package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.postgres.cluster.BackupManifest;
import dev.mainstay.testkit.DebianPrograms;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The manifest that a restore leaves is one that PostgreSQL itself could have written. Version 14
/// sends its own in another way; it has the format of 15 and 16.
class RestoredManifestTest {
    private static final int OLDEST = 15;
    private static final Pattern PATH = Pattern.compile("\"Path\": \"([^\"]+)\"");

    static List<Integer> versions() {
        return Versions.selected().stream().filter(major -> major >= OLDEST).toList();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void hasTheStructureOfTheServersOwn(int major) throws IOException, GeneralSecurityException {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite site = new RestoreSite(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i", "CHECKPOINT");
            String theirs = ServerManifest.of(cluster.port(), TestCluster.SUPERUSER);
            site.backUp();
            site.archive(cluster);
            Path directory =
                    site.wish("restored", new RestoreTarget.Immediate())
                            .restore()
                            .request()
                            .directory();
            String ours = Files.readString(directory.resolve(BackupManifest.FILE_NAME));

            assertThat(checksumHolds(theirs)).as("the judge").isTrue();
            assertThat(checksumHolds(ours)).isTrue();
            assertThat(frame(ours)).isEqualTo(frame(theirs));
            assertThat(shapes(ours)).isEqualTo(shapes(theirs));
            assertThat(ours.contains("System-Identifier")).isEqualTo(major >= 17);

            Map<String, String> their = files(theirs);
            Map<String, String> our = files(ours);
            TreeSet<String> only = new TreeSet<>(our.keySet());
            only.removeAll(their.keySet());
            assertThat(only).as("only ours").isEmpty();
            only = new TreeSet<>(their.keySet());
            only.removeAll(our.keySet());
            assertThat(only).as("only theirs").isSubsetOf("postgresql.auto.conf");
            String table = cluster.value("SELECT pg_relation_filepath('t')");
            for (String same : List.of("PG_VERSION", "postgresql.conf", table)) {
                assertThat(our).containsEntry(same, their.get(same));
            }
            if (major == DebianPrograms.MAJOR) {
                assertThat(StructureJudge.verifyBackup(directory, "--no-parse-wal")).isEmpty();
            }
        }
    }

    /// The last line holds SHA-256 of all before it.
    private static boolean checksumHolds(String manifest) throws GeneralSecurityException {
        int last = manifest.lastIndexOf('\n', manifest.length() - 2) + 1;
        byte[] sum =
                MessageDigest.getInstance("SHA-256")
                        .digest(manifest.substring(0, last).getBytes(StandardCharsets.UTF_8));
        return manifest.substring(last)
                .equals("\"Manifest-Checksum\": \"" + HexFormat.of().formatHex(sum) + "\"}\n");
    }

    /// Everything but files and their checksum, with what differs between two backups left out; the
    /// system identifier stays.
    private static String frame(String manifest) {
        return manifest.lines()
                .filter(line -> !PATH.matcher(line).find())
                .map(line -> line.replaceAll("LSN\": \"[^\"]*\"", "LSN\": \"\""))
                .map(line -> line.replaceAll("Checksum\": \"[^\"]*\"", "Checksum\": \"\""))
                .reduce("", (all, line) -> all + line + "\n");
    }

    /// Keys, order, spaces and kinds of values of all lines about files.
    private static Set<String> shapes(String manifest) {
        Set<String> shapes = new TreeSet<>();
        manifest.lines()
                .filter(line -> PATH.matcher(line).find())
                .map(line -> line.replaceAll("(\"(?:Path|Encoded-Path)\": )\"[^\"]*\"", "$1text"))
                .map(
                        line ->
                                line.replaceAll(
                                        "\"\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d GMT\"",
                                        "time"))
                .map(line -> line.replaceAll("(\"Checksum\": )\"[0-9a-f]{8}\"", "$1sum"))
                .map(line -> line.replaceAll("(\"Size\": )\\d+", "$1size"))
                .forEach(shapes::add);
        return shapes;
    }

    private static Map<String, String> files(String manifest) {
        Map<String, String> files = new TreeMap<>();
        manifest.lines()
                .forEach(
                        line -> {
                            Matcher path = PATH.matcher(line);
                            if (path.find()) {
                                files.put(path.group(1), line.replaceAll(",$", ""));
                            }
                        });
        return files;
    }
}
