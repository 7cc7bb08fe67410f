package dev.mainstay.storage.s3;

import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreFinding;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.DefaultRetention;
import software.amazon.awssdk.services.s3.model.ExpirationStatus;
import software.amazon.awssdk.services.s3.model.GetBucketVersioningResponse;
import software.amazon.awssdk.services.s3.model.LifecycleRule;
import software.amazon.awssdk.services.s3.model.LifecycleRuleFilter;
import software.amazon.awssdk.services.s3.model.MFADeleteStatus;
import software.amazon.awssdk.services.s3.model.ObjectLockConfiguration;
import software.amazon.awssdk.services.s3.model.ObjectLockEnabled;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Looks at how a bucket is set up.
final class S3Bucket {
    private static final String VERSIONING = "bucket-versioning";
    private static final String LOCK = "bucket-lock";
    private static final String DEFAULT_RETENTION = "bucket-default-retention";
    private static final String MFA = "bucket-mfa-delete";
    private static final String LIFECYCLE = "bucket-lifecycle";
    private static final String PUBLIC = "bucket-public";

    private final S3Client client;
    private final S3Place place;
    private final Optional<PlaceLock> lock;
    private final Failures failures;

    private S3Bucket(S3Client client, S3Place place, Optional<PlaceLock> lock) {
        this.client = client;
        this.place = place;
        this.lock = lock;
        this.failures = new Failures(place);
    }

    static List<StoreFinding> judge(S3Place place, Optional<PlaceLock> lock) {
        try (S3Connection connection = S3Connection.open(place)) {
            S3Bucket bucket = new S3Bucket(connection.client(), place, lock);
            List<StoreFinding> all = new ArrayList<>();
            all.addAll(bucket.look(VERSIONING, "s3:GetBucketVersioning", bucket::versioning));
            all.addAll(bucket.look(LOCK, "s3:GetBucketObjectLockConfiguration", bucket::locking));
            all.addAll(
                    bucket.look(LIFECYCLE, "s3:GetLifecycleConfiguration", bucket::lifecycle));
            all.addAll(bucket.look(PUBLIC, "s3:GetBucketPolicyStatus", bucket::open));
            return all;
        }
    }

    /// What this user may not see is no reason to refuse anything.
    private List<StoreFinding> look(String id, String right, Supplier<List<StoreFinding>> look) {
        try {
            return look.get();
        } catch (S3Exception answered) {
            boolean unknown = answered.statusCode() == 405 || answered.statusCode() == 501;
            if (unknown && lock.isEmpty()) {
                return List.of();
            }
            if (unknown || answered.statusCode() == 403) {
                return List.of(
                        StoreFinding.warning(
                                id,
                                "this cannot be looked at: the server answered "
                                        + answered.statusCode(),
                                "allow " + right + " on the bucket to whoever runs this"));
            }
            throw failures.translate("cannot look at the bucket", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot look at the bucket", failed);
        }
    }

    private List<StoreFinding> versioning() {
        GetBucketVersioningResponse told =
                client.getBucketVersioning(request -> request.bucket(place.bucket()));
        boolean on = told.status() == BucketVersioningStatus.ENABLED;
        List<StoreFinding> findings = new ArrayList<>();
        if (lock.isEmpty() && !on) {
            return List.of(
                    StoreFinding.warning(
                            VERSIONING,
                            "bucket '"
                                    + place.bucket()
                                    + "' keeps no versions: who has the writer's credentials can"
                                    + " remove every backup for good",
                            "use a bucket with versioning and Object Lock and set repository.lock"
                                    + " (docs/immutability.md), or keep a copy elsewhere"));
        }
        findings.add(
                on
                        ? StoreFinding.ok(
                                VERSIONING, "bucket '" + place.bucket() + "' keeps versions")
                        : StoreFinding.error(
                                VERSIONING,
                                "bucket '"
                                        + place.bucket()
                                        + "' keeps no versions, so nothing in it can be locked",
                                "make a bucket with Object Lock, and a new repository in it"));
        if (told.mfaDelete() == MFADeleteStatus.ENABLED) {
            findings.add(
                    StoreFinding.ok(MFA, "versions are removed with a second factor only"));
        }
        return findings;
    }

    private List<StoreFinding> locking() {
        Optional<ObjectLockConfiguration> told = configuration();
        boolean on =
                told.filter(each -> each.objectLockEnabled() == ObjectLockEnabled.ENABLED)
                        .isPresent();
        if (lock.isEmpty()) {
            return on
                    ? List.of(
                            StoreFinding.warning(
                                    LOCK,
                                    "bucket '"
                                            + place.bucket()
                                            + "' can lock objects, and repository.lock is not set:"
                                            + " nothing is locked",
                                    "set repository.lock (docs/immutability.md)"))
                    : List.of();
        }
        if (!on) {
            return List.of(
                    StoreFinding.error(
                            LOCK,
                            "bucket '" + place.bucket() + "' has no Object Lock",
                            "make a bucket with Object Lock (it is turned on when a bucket is"
                                    + " made), or leave out repository.lock"));
        }
        List<StoreFinding> findings = new ArrayList<>();
        findings.add(
                StoreFinding.ok(LOCK, "bucket '" + place.bucket() + "' can lock objects"));
        told.map(ObjectLockConfiguration::rule)
                .map(rule -> rule.defaultRetention())
                .ifPresent(each -> findings.add(defaultRetention(each)));
        return findings;
    }

    private Optional<ObjectLockConfiguration> configuration() {
        try {
            return Optional.ofNullable(
                    client.getObjectLockConfiguration(request -> request.bucket(place.bucket()))
                            .objectLockConfiguration());
        } catch (S3Exception answered) {
            if (answered.statusCode() == 404 && Failures.isUnlocked(answered)) {
                return Optional.empty();
            }
            throw answered;
        }
    }

    private static StoreFinding defaultRetention(DefaultRetention told) {
        return StoreFinding.warning(
                DEFAULT_RETENTION,
                "the bucket locks whatever is put ("
                        + LockMode.valueOf(told.modeAsString())
                        + "), also source keys, which could not be shredded then, and what backups"
                        + " put for a moment only",
                "remove the bucket's default retention: Mainstay locks each object itself");
    }

    private List<StoreFinding> lifecycle() {
        List<LifecycleRule> rules;
        try {
            rules =
                    client.getBucketLifecycleConfiguration(
                                    request -> request.bucket(place.bucket()))
                            .rules();
        } catch (S3Exception answered) {
            if (answered.statusCode() == 404) {
                return List.of();
            }
            throw answered;
        }
        List<StoreFinding> findings = new ArrayList<>();
        for (LifecycleRule rule : rules) {
            boolean expires =
                    rule.expiration() != null
                            && (rule.expiration().days() != null
                                    || rule.expiration().date() != null);
            if (rule.status() == ExpirationStatus.ENABLED && expires && isOurs(rule)) {
                findings.add(
                        StoreFinding.error(
                                LIFECYCLE,
                                "the bucket's lifecycle rule '"
                                        + rule.id()
                                        + "' removes objects by their age, and with them backups"
                                        + " that newer ones refer to",
                                "remove its expiration, or restrict it to another prefix; 'mainstay"
                                        + " expire' and 'mainstay prune' remove what is not"
                                        + " needed"));
            }
        }
        return findings.isEmpty()
                ? List.of(
                        StoreFinding.ok(
                                LIFECYCLE, "no lifecycle rule removes objects by their age"))
                : findings;
    }

    @SuppressWarnings("deprecation") // servers still answer with the prefix of old rules
    private boolean isOurs(LifecycleRule rule) {
        LifecycleRuleFilter filter = rule.filter();
        String theirs =
                filter != null && filter.prefix() != null
                        ? filter.prefix()
                        : Optional.ofNullable(rule.prefix()).orElse("");
        String ours = place.prefix().isEmpty() ? "" : place.prefix() + "/";
        return ours.startsWith(theirs) || theirs.startsWith(ours);
    }

    private List<StoreFinding> open() {
        try {
            boolean everybody =
                    Boolean.TRUE.equals(
                            client.getBucketPolicyStatus(
                                            request -> request.bucket(place.bucket()))
                                    .policyStatus()
                                    .isPublic());
            return everybody
                    ? List.of(
                            StoreFinding.warning(
                                    PUBLIC,
                                    "the server says that the policy of bucket '"
                                            + place.bucket()
                                            + "' is public",
                                    "look for an Allow to everybody in it, and block public access"
                                            + " (Ceph also says so of policies that name users)"))
                    : List.of();
        } catch (S3Exception answered) {
            if (answered.statusCode() == 404) {
                return List.of(); // no policy
            }
            throw answered;
        }
    }
}
