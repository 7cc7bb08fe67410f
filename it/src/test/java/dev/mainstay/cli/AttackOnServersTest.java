package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectVersion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.SortedMap;

/// What somebody can do who has stolen the credentials of the writer, or of the collector, and what
/// that costs: by hand on a gateway of Ceph, in compliance mode.
final class AttackOnServersTest {
    private static final String LOCK = "lock: { mode: compliance, days: 8, generation-days: 2 }";
    private static final String RUBBISH = "forged, and nothing else";

    @Test
    void aLockedBackupSurvivesWhoeverHasTheWritersOrTheCollectorsCredentials() throws Exception {
        try (LockedSite locked = new LockedSite()) {
            CommandSite site = locked.site;
            locked.configure(locked.server.owner(), LOCK, "");
            assertThat(site.run("init").exits(1).err()).contains("MS-0406", locked.url());
            assertThat(site.run("init", "--accept-compliance", "s3://other").exits(1).err())
                    .contains("MS-0406");
            site.run("init", "--accept-compliance", locked.url()).exits(0);
            locked.configure(locked.writer, LOCK, "");
            locked.backUpTwice();
            site.run("verify").exits(0);
            site.run("lock", "extend").exits(0);
            SortedMap<String, List<Byte>> wanted = restored(site, "before");
            Instant then = Instant.now().truncatedTo(ChronoUnit.MILLIS);
            Await.until("another second", () -> Instant.now().isAfter(then.plusSeconds(2)));
            attackAsWriter(locked);
            assertThat(restored(site, "after-writer")).isEqualTo(wanted);
            assertThat(site.run("verify").exits(1).out())
                    .as("what was forged is named, and nothing else")
                    .contains("20400101T000000Z-0badf00d", "2 of the repository's objects");
            attackAsCollector(locked);
            site.run("backups").exits(1);
            String time = then.plusMillis(500).toString();
            site.run("backups", "--as-of", time).exits(0).says("full", "incremental");
            site.run("verify", "--as-of", time).exits(0);
            assertThat(restored(site, "as-of", "--as-of", time)).isEqualTo(wanted);
            assertThat(site.path("as-of").resolve("postgresql.auto.conf"))
                    .content()
                    .contains("--as-of " + time);
            undeleted(locked, time);
            assertThat(restored(site, "undeleted")).isEqualTo(wanted);
        }
    }

    /// Who has the repository's key as well writes records that are valid.
    @Test
    void aBackupThatAThiefOfTheKeyExpiredAndPrunedIsThereAsOfBefore() throws Exception {
        try (LockedSite locked = new LockedSite()) {
            CommandSite site = locked.site;
            locked.configure(locked.collector, LOCK, "");
            site.run("init", "--accept-compliance", locked.url()).exits(0);
            locked.configure(locked.writer, LOCK, "");
            locked.backUpTwice();
            Instant then = Instant.now().truncatedTo(ChronoUnit.MILLIS);
            Await.until("another second", () -> Instant.now().isAfter(then.plusSeconds(2)));
            locked.configure(locked.collector, LOCK, "retention: { daily: 1 }");
            site.run("expire", "--yes").exits(0).says("1 backup removed");
            site.run("prune", "--yes").exits(0);
            assertThat(site.run("backups").exits(0).out()).doesNotContain("full");
            String time = then.plusMillis(500).toString();
            site.run("backups", "--as-of", time).exits(0).says("full", "incremental");
            site.run("verify", "--as-of", time).exits(0);
            site.run("undelete", "--as-of", time, "--plan").exits(0).says("slots");
        }
    }

    private static SortedMap<String, List<Byte>> restored(
            CommandSite site, String name, String... more) throws IOException {
        Path to = site.path(name);
        String[] arguments = new String[6 + more.length];
        String[] first = {"restore", "orders", "--to", to.toString(), "--target", "immediate"};
        System.arraycopy(first, 0, arguments, 0, first.length);
        System.arraycopy(more, 0, arguments, first.length, more.length);
        site.run(arguments).exits(0);
        return LockedSite.content(to);
    }

    /// Deletes, deletes versions, shortens locks, puts over everything, and puts what looks new.
    private static void attackAsWriter(LockedSite locked) {
        List<ObjectVersion> versions = locked.versions();
        String slot = locked.names("slots").getFirst();
        String source = slot.split("/", -1)[1];
        try (S3Client thief = locked.server.client(locked.writer)) {
            for (ObjectVersion each : versions) {
                boolean locks = !each.key().startsWith(LockedSite.key("keys/source/"));
                boolean fleeting =
                        List.of("intents/", "progress/", "parts/", "probe/").stream()
                                .anyMatch(kind -> each.key().startsWith(LockedSite.key(kind)));
                if (!fleeting) {
                    assertThat(delete(thief, locked, each, false)).as(each.key()).isEqualTo(403);
                    if (locks) {
                        assertThat(shorten(thief, locked, each)).as(each.key()).isEqualTo(403);
                    }
                    LockedSite.put(thief, locked.bucket, each.key(), RUBBISH);
                }
                assertThat(delete(thief, locked, each, true)).as(each.key()).isEqualTo(403);
            }
            String future = "slots/" + source + "/20400101T000000Z-";
            LockedSite.put(thief, locked.bucket, LockedSite.key(future + "0badf00d"), RUBBISH);
            byte[] old =
                    thief.getObjectAsBytes(
                                    request ->
                                            request.bucket(locked.bucket)
                                                    .key(LockedSite.key(slot))
                                                    .versionId(first(versions, slot)))
                            .asByteArray();
            thief.putObject( // replayed under a name that says that it is the newest
                    request ->
                            request.bucket(locked.bucket).key(LockedSite.key(future + "0badf00e")),
                    RequestBody.fromBytes(old));
            String index = locked.names("index").getLast();
            thief.putObject( // an old index in the place of the newest one
                    request -> request.bucket(locked.bucket).key(LockedSite.key(index)),
                    RequestBody.fromBytes(old));
        }
    }

    private static String first(List<ObjectVersion> versions, String name) {
        return versions.stream()
                .filter(each -> each.key().equals(LockedSite.key(name)))
                .toList()
                .getLast()
                .versionId();
    }

    private static int delete(
            S3Client as, LockedSite locked, ObjectVersion version, boolean wholly) {
        return LockedSite.status(
                () ->
                        as.deleteObject(
                                request -> {
                                    request.bucket(locked.bucket).key(version.key());
                                    if (wholly) {
                                        request.versionId(version.versionId())
                                                .bypassGovernanceRetention(true);
                                    }
                                }));
    }

    private static int shorten(S3Client as, LockedSite locked, ObjectVersion version) {
        return LockedSite.status(
                () ->
                        as.putObjectRetention(
                                request ->
                                        request.bucket(locked.bucket)
                                                .key(version.key())
                                                .versionId(version.versionId())
                                                .bypassGovernanceRetention(true)
                                                .retention(
                                                        lock ->
                                                                lock.mode("GOVERNANCE")
                                                                        .retainUntilDate(
                                                                                Instant.now()
                                                                                        .plus(
                                                                                                Duration
                                                                                                        .ofHours(
                                                                                                                1))))));
    }

    /// Hides everything, and puts rubbish in its place.
    private static void attackAsCollector(LockedSite locked) {
        try (S3Client thief = locked.server.client(locked.collector)) {
            for (ObjectVersion each : locked.versions()) {
                assertThat(delete(thief, locked, each, true)).as(each.key()).isEqualTo(403);
            }
            for (String name : locked.names("")) {
                thief.deleteObject(
                        request -> request.bucket(locked.bucket).key(LockedSite.key(name)));
            }
            for (String name : List.of("format", locked.names("slots").getFirst())) {
                LockedSite.put(thief, locked.bucket, LockedSite.key(name), RUBBISH);
            }
        }
    }

    /// First by who may remove delete markers; then by who may not, of one pack.
    private static void undeleted(LockedSite locked, String time) throws IOException {
        CommandSite site = locked.site;
        locked.configure(locked.server.owner(), LOCK, "");
        site.run("undelete").exits(2);
        site.run("undelete", "--as-of", time, "--plan").exits(0).says("would come back", "packs");
        site.run("backups").exits(1);
        assertThat(site.run("undelete", "--as-of", time).exits(1).err()).contains("MS-0406");
        site.run("undelete", "--as-of", time, "--yes").exits(0).says("came back", "uncovered");
        site.run("undelete", "--as-of", time, "--plan").exits(0).says("nothing is missing");
        site.run("verify").exits(0);
        String pack = locked.names("packs").getFirst();
        Instant then = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        Await.until("another second", () -> Instant.now().isAfter(then.plusSeconds(2)));
        locked.configure(locked.collector, LOCK, "");
        try (S3Client thief = locked.server.client(locked.collector)) {
            thief.deleteObject(request -> request.bucket(locked.bucket).key(LockedSite.key(pack)));
        }
        site.run("verify").exits(1).says(pack);
        site.run("undelete", "--as-of", then.plusMillis(500).toString(), "--yes")
                .exits(0)
                .says("1 object");
        site.run("verify").exits(0);
        assertThat(Files.exists(site.path("s3.key"))).isTrue();
    }
}
