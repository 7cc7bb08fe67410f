package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.engine.retention.KeptLocks;
import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.RetentionLock;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;
import software.amazon.awssdk.services.s3.model.ObjectVersion;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is locked, what `verify` says of it and what extends it, by command lines on a gateway of
/// Ceph.
final class LocksOnServersTest {
    private static final String LOCK = "lock: { mode: governance, days: 8, generation-days: 2 }";

    @Test
    void whatKeptBackupsNeedIsLockedAndVerifyTellsWhatIsNot() throws Exception {
        try (LockedSite locked = new LockedSite()) {
            CommandSite site = locked.site;
            locked.configure(locked.server.owner(), LOCK, "");
            site.run("init").exits(0).says("governance, 8 days");
            site.run("check").says("can lock objects", "keeps versions");
            locked.backUpTwice();
            site.run("verify").exits(0).says("locked");
            site.run("lock", "extend").exits(0).says("no lock is due");
            try (S3Client owner = locked.server.client(locked.server.owner())) {
                for (ObjectVersion each : locked.versions()) {
                    assertThat(isLocked(owner, locked.bucket, each))
                            .as(each.key())
                            .isEqualTo(mayBeLocked(each.key()));
                }
                weaken(owner, locked, version(locked, "packs/base"));
                replaceUnlocked(owner, locked, version(locked, "slots"));
            }
            CommandSite.Answer told = site.run("verify").exits(1);
            told.says("MS-0903", "packs/base/", "slots/", "mainstay lock extend");
            site.run("lock", "extend", "--plan").exits(0).says("2 objects would be locked", "2");
            site.run("verify").exits(1);
            site.run("lock", "extend").exits(0).says("2 objects are locked for longer");
            site.run("lock", "extend").exits(0).says("no lock is due");
            site.run("verify").exits(0);
        }
    }

    @Test
    void whoMayReadRestoresAndChangesNothing() throws Exception {
        try (LockedSite locked = new LockedSite()) {
            CommandSite site = locked.site;
            locked.expireLeftovers();
            locked.configure(locked.server.owner(), LOCK, "");
            site.run("init").exits(0);
            site.run("check").says("no lifecycle rule removes objects by their age");
            locked.configure(locked.writer, LOCK, "");
            locked.backUpTwice();
            String ours = site.path("ours").toString();
            site.run("restore", "orders", "--to", ours, "--target", "immediate").exits(0);
            List<ObjectVersion> before = locked.versions();
            List<DeleteMarkerEntry> hidden = locked.markers();

            locked.configure(locked.reader, LOCK, "");
            site.run("backups").exits(0).says("full", "incremental");
            site.run("verify").exits(0);
            String theirs = site.path("theirs").toString();
            site.run("restore", "orders", "--to", theirs, "--target", "immediate").exits(0);
            assertThat(LockedSite.content(site.path("theirs")))
                    .isEqualTo(LockedSite.content(site.path("ours")));
            String slot = version(locked, "slots").key();
            String backup = slot.substring(slot.lastIndexOf('/') + 1);
            assertThat(site.run("backups", "hold", backup, "--reason", "mine").exits(1).err())
                    .contains("MS-0104");
            try (S3Client reader = locked.server.client(locked.reader)) {
                ObjectVersion pack = version(locked, "packs/base");
                assertThat(
                                LockedSite.status(
                                        () ->
                                                reader.deleteObject(
                                                        request ->
                                                                request.bucket(locked.bucket)
                                                                        .key(pack.key()))))
                        .isEqualTo(403);
            }
            assertThat(locked.versions()).isEqualTo(before);
            assertThat(locked.markers()).isEqualTo(hidden);
        }
    }

    private static boolean mayBeLocked(String key) {
        return List.of("keys/source/", "parts/", "gc/", "intents/", "progress/", "probe/").stream()
                .noneMatch(kind -> key.startsWith(LockedSite.key(kind)));
    }

    private static boolean isLocked(S3Client as, String bucket, ObjectVersion version) {
        return LockedSite.status(
                        () ->
                                as.getObjectRetention(
                                        request ->
                                                request.bucket(bucket)
                                                        .key(version.key())
                                                        .versionId(version.versionId())))
                == 0;
    }

    private static ObjectVersion version(LockedSite locked, String kind) {
        return locked.versions().stream()
                .filter(each -> each.key().startsWith(LockedSite.key(kind)))
                .findFirst()
                .orElseThrow();
    }

    private static void weaken(S3Client owner, LockedSite locked, ObjectVersion version) {
        owner.putObjectRetention(
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
                                                                                Duration.ofDays(
                                                                                        1)))));
    }

    private static void replaceUnlocked(S3Client owner, LockedSite locked, ObjectVersion version) {
        byte[] content =
                owner.getObjectAsBytes(
                                request ->
                                        request.bucket(locked.bucket)
                                                .key(version.key())
                                                .versionId(version.versionId()))
                        .asByteArray();
        owner.deleteObject(
                request ->
                        request.bucket(locked.bucket)
                                .key(version.key())
                                .versionId(version.versionId())
                                .bypassGovernanceRetention(true));
        owner.putObject(
                request -> request.bucket(locked.bucket).key(version.key()),
                RequestBody.fromBytes(content));
    }

    @Test
    void locksOfKeptBackupsAreExtendedAndThoseOfGarbageRunOut() throws Exception {
        try (LockedSite locked = new LockedSite()) {
            CommandSite site = locked.site;
            locked.configure(locked.server.owner(), LOCK, "retention: { full: { count: 1 } }");
            site.run("init").exits(0);
            try (CommandSite.Receiving _ = site.receive()) {
                site.run("backup", "orders").exits(0);
                locked.cluster.sql("UPDATE t SET i = -i");
                site.run("backup", "orders", "--type", "full").exits(0);
            }
            site.run("expire", "--yes").exits(0).says("1 backup removed");
            RepositorySettings settings =
                    new ConfigurationReader(Map.of())
                            .find(Optional.of(site.path("mainstay.yaml")), site.path("."))
                            .repository();
            Instant later = Instant.now().plus(Duration.ofDays(20));
            Ground ground = new Ground(InstantSource.fixed(later), new SecureRandom());
            try (Repository repository = RepositoryAccess.open(settings, ground)) {
                ObjectLocks locks = repository.store().locks().orElseThrow();
                KeptLocks.Report before = kept(repository, settings, later).look(locks);
                assertThat(before.survey().lackingCount())
                        .as("nobody extended anything for twenty days")
                        .isEqualTo(before.survey().needed().objects())
                        .isPositive();
                KeptLocks.Report extended = kept(repository, settings, later).extend(locks);
                assertThat(extended.isWell()).isTrue();
                assertThat(extended.survey().due()).isEqualTo(before.survey().needed());
                assertThat(kept(repository, settings, later).look(locks).survey().due().objects())
                        .as("extending again does nothing")
                        .isZero();
                long garbage =
                        locked.names("packs").stream()
                                .map(name -> locks.of(name).map(RetentionLock::until))
                                .filter(until -> until.orElseThrow().isBefore(later))
                                .count();
                assertThat(garbage).as("packs of the expired backup alone").isPositive();
                assertThat(garbage).isLessThan(locked.names("packs").size());
            }
        }
    }

    /// With the arguments that this test has always alike.
    private record Kept(KeptLocks locks) {
        KeptLocks.Report look(ObjectLocks of) {
            return locks.look(of, Optional.empty(), Progress.none());
        }

        KeptLocks.Report extend(ObjectLocks of) {
            return locks.extend(of, Optional.empty(), Progress.none());
        }
    }

    private static Kept kept(Repository repository, RepositorySettings settings, Instant now) {
        return new Kept(
                new KeptLocks(
                        repository,
                        settings.lock().orElseThrow(),
                        _ -> RetentionPolicy.everything(),
                        now));
    }
}
