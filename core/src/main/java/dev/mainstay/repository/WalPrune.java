package dev.mainstay.repository;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.SourceId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.Predicate;

/// Frees WAL that nothing needs (docs/format.md section 10), as a part of [Prune]: claimed first,
/// so that a backup which begins later does not come to need it; then, when all backups that may
/// not have seen the claim have ended and it is still not needed, put on record as freed; then
/// removed, with its summaries, parts and what else is named after a segment. History files stay.
///
/// So whoever misses a segment finds it on record, and never takes it for the end of the log.
final class WalPrune {
    /// Stretches in one claim.
    private static final int CLAIMED = 10_000;

    private static final int PAGE = 1000;

    private final Vault root;
    private final ObjectStore store;
    private final UnneededWal rule;
    private final Collection<ProtectedSource> sources;
    private final LongConsumer bytesRemoved;
    private final WalStretches freed = WalStretches.none();
    private final WalStretches waiting = WalStretches.none();
    private final WalStretches refused = WalStretches.none();
    private long bytes;

    WalPrune(
            Vault root,
            UnneededWal rule,
            Collection<ProtectedSource> sources,
            LongConsumer bytesRemoved) {
        this.root = root;
        this.store = root.store;
        this.rule = rule;
        this.sources = sources;
        this.bytesRemoved = bytesRemoved;
    }

    private WalStretches unclaimed(List<Claim> claims) {
        WalStretches claimed = WalStretches.none();
        claims.forEach(claim -> claimed.addAll(claim.wal()));
        return rule.find(sources).without(claimed);
    }

    /// Claims what nothing needs and nobody has claimed yet.
    List<Claim> publish(List<Claim> claims) {
        List<WalStretch> fresh = unclaimed(claims).stretches();
        List<Claim> published = new ArrayList<>();
        for (int from = 0; from < fresh.size(); from += CLAIMED) {
            int to = Math.min(fresh.size(), from + CLAIMED);
            published.add(Claim.publish(root, List.of(), fresh.subList(from, to)));
        }
        return published;
    }

    /// What [#publish] and [#sweep] would do.
    ///
    /// @param open claims that wait for backups
    /// @param fenced the others
    /// @param announced backups that a new claim would have to wait for
    /// @param end tells whether all of them would have ended
    void plan(
            List<Claim> open,
            List<Claim> fenced,
            List<String> announced,
            Predicate<List<String>> end) {
        List<Claim> all = new ArrayList<>(open);
        all.addAll(fenced);
        WalStretches unneeded = rule.find(sources);
        WalStretches fresh = unclaimed(all);
        open.forEach(claim -> waiting.addAll(claim.wal().and(unneeded)));
        for (Claim claim : fenced) {
            freed.addAll(claim.sweep().map(Claim.Named::wal).orElseGet(claim::wal).and(unneeded));
        }
        boolean free = fresh.isEmpty() || end.test(announced);
        (free ? freed : waiting).addAll(fresh);
        freed.stretches().forEach(each -> forEachObject(each, this::count));
    }

    private void count(StoredObject object) {
        bytes += object.sizeBytes();
    }

    /// What of a claim nothing needs: to be asked once all that it waits for have ended.
    WalStretches going(Claim claim) {
        return claim.wal().isEmpty() ? WalStretches.none() : claim.wal().and(rule.find(sources));
    }

    void waits(Claim claim) {
        waiting.addAll(going(claim));
    }

    /// Puts on record what was decided, and removes it.
    ///
    /// @return whether all of it is gone
    boolean sweep(WalStretches decided) {
        boolean all = true;
        for (Map.Entry<SourceId, List<WalStretch>> each : decided.bySource().entrySet()) {
            Optional<ProtectedSource> source =
                    sources.stream().filter(known -> known.id().equals(each.getKey())).findFirst();
            // Of a source that was shredded nobody can write a record, and nobody needs one.
            source.ifPresent(known -> record(known, each.getValue()));
            for (WalStretch stretch : each.getValue()) {
                all &= remove(stretch);
            }
        }
        return all;
    }

    private static void record(ProtectedSource source, List<WalStretch> stretches) {
        RecordChain chain = source.records();
        WalStretches fresh = WalStretches.of(stretches).without(chain.freedWal());
        if (!fresh.isEmpty()) {
            List<Json> freed = fresh.stretches().stream().map(WalStretch::toJson).toList();
            chain.append("wal-expiry", Json.object().put("freed", freed));
        }
    }

    private boolean remove(WalStretch stretch) {
        boolean[] all = {true};
        forEachObject(
                stretch,
                object -> {
                    switch (store.delete(object.name())) {
                        case DELETED -> {
                            count(object);
                            bytesRemoved.accept(object.sizeBytes());
                        }
                        case ABSENT -> {}
                        case REFUSED -> all[0] = false;
                    }
                });
        (all[0] ? freed : refused).add(stretch);
        return all[0];
    }

    private interface Visitor {
        void visit(StoredObject object);
    }

    /// Everything named after these segments; the segments last, so that whoever is killed leaves
    /// nothing that looks like the rest of a segment.
    private void forEachObject(WalStretch stretch, Visitor visitor) {
        var timeline = stretch.first().timeline();
        forEachOf(Names.summaries(stretch.system(), timeline), stretch, visitor);
        forEachOf(Names.parts(stretch.system(), timeline), stretch, visitor);
        forEachOf(Names.wal(stretch.system(), timeline), stretch, visitor);
    }

    private void forEachOf(String prefix, WalStretch stretch, Visitor visitor) {
        String first = prefix + stretch.first().fileName();
        String last = prefix + stretch.last().fileName();
        String after = stretch.first().number() == 0 ? "" : prefix + before(stretch.first()) + "~";
        while (true) {
            ListPage page = store.list(prefix, after, PAGE);
            for (StoredObject object : page.objects()) {
                String name = object.name();
                String head = name.substring(0, Math.min(name.length(), last.length()));
                if (head.compareTo(last) > 0) {
                    return;
                }
                if (head.compareTo(first) >= 0) {
                    visitor.visit(object);
                }
            }
            if (page.last() || page.objects().isEmpty()) {
                return;
            }
            after = page.next();
        }
    }

    private static String before(WalSegment segment) {
        return new WalSegment(segment.timeline(), segment.number() - 1, segment.sizeBytes())
                .fileName();
    }

    Prune.Wal report() {
        return new Prune.Wal(
                freed.without(refused).count(),
                ByteSize.of(bytes),
                waiting.without(freed).count(),
                refused.count());
    }
}
