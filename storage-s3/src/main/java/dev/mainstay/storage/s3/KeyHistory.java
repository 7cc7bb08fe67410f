package dev.mainstay.storage.s3;

import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;
import software.amazon.awssdk.services.s3.model.ObjectVersion;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// What a bucket with versions keeps of one key: versions, and delete markers between them.
///
/// **Which version is the object.** Objects are written once, so of the versions since the newest
/// delete marker the first one is the object, and what was put over it counts for nothing. That
/// makes a put that finds no version before its own a put-if-absent, also on servers that ignore
/// `If-None-Match` where there are versions (Ceph): the server puts versions of a key in an order,
/// and a listing that begins after a put shows all that came before it.
final class KeyHistory {
    /// The clocks of a service's hosts may differ by less.
    private static final Duration UNSURE = Duration.ofMinutes(1);

    /// Both newest first, as the server lists them.
    private final List<ObjectVersion> versions = new ArrayList<>();

    private final List<DeleteMarkerEntry> markers = new ArrayList<>();

    void add(ObjectVersion version) {
        versions.add(version);
    }

    void add(DeleteMarkerEntry marker) {
        markers.add(marker);
    }

    /// The version that is the object at a time.
    ///
    /// @param first whether the first version since the newest marker counts, or the last one
    /// @param olderThan asks the server which versions are older than a marker: it tells versions
    ///   and markers apart, and where their times are alike not which came first
    Optional<ObjectVersion> objectAt(
            Instant time, boolean first, Function<DeleteMarkerEntry, Set<String>> olderThan) {
        List<ObjectVersion> since = sinceMarker(time, olderThan);
        return since.isEmpty()
                ? Optional.empty()
                : Optional.of(first ? since.getLast() : since.getFirst());
    }

    private List<ObjectVersion> sinceMarker(
            Instant time, Function<DeleteMarkerEntry, Set<String>> olderThan) {
        List<ObjectVersion> known =
                versions.stream().filter(each -> !each.lastModified().isAfter(time)).toList();
        Optional<DeleteMarkerEntry> newest =
                markers.stream().filter(each -> !each.lastModified().isAfter(time)).findFirst();
        if (newest.isEmpty() || known.isEmpty()) {
            return known;
        }
        DeleteMarkerEntry marker = newest.get();
        if (Boolean.TRUE.equals(marker.isLatest())) {
            return List.of();
        }
        Instant at = marker.lastModified();
        boolean sure =
                known.stream()
                        .allMatch(
                                each ->
                                        Duration.between(at, each.lastModified())
                                                        .abs()
                                                        .compareTo(UNSURE)
                                                > 0);
        Set<String> older = sure ? Set.of() : new HashSet<>(olderThan.apply(marker));
        return known.stream()
                .filter(
                        each ->
                                sure
                                        ? each.lastModified().isAfter(at)
                                        : !older.contains(each.versionId()))
                .toList();
    }

    /// Markers that were put after a time.
    List<DeleteMarkerEntry> markersAfter(Instant time) {
        return markers.stream().filter(each -> each.lastModified().isAfter(time)).toList();
    }

    boolean hasVersionsAfter(Instant time) {
        return versions.stream().anyMatch(each -> each.lastModified().isAfter(time));
    }

    boolean isEmpty() {
        return versions.isEmpty() && markers.isEmpty();
    }

    Set<String> versionIds() {
        Set<String> ids = new HashSet<>();
        versions.forEach(each -> ids.add(each.versionId()));
        return ids;
    }
}
