package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Proves from the repository, and from a server's state where there is one, that nothing of the
/// audit trails was altered, removed, put in another order or cut off: each entry holds the hash of
/// the one before, each signed head names the head before, and the two places agree.
///
/// From the repository alone it cannot tell that its very newest heads were removed, unless the
/// state or a later trail knows of them: so it says how old the newest is. For one use.
public final class AuditProof {
    private static final int KEPT = 1000;
    private static final int AT_ONCE = 1000;

    private final AuditArchive archive;
    private final Optional<AuditState> state;
    private final List<String> findings = new ArrayList<>();
    private final Map<String, String> objects = new HashMap<>();
    private final List<AuditPublication.Earlier> named = new ArrayList<>();
    private long findingCount;

    public AuditProof(Repository repository, Optional<AuditState> state) {
        this.archive = new AuditArchive(repository);
        this.state = state;
    }

    /// What is proved of a trail.
    ///
    /// @param published number of the newest entry that a signed head covers
    /// @param head its hash
    /// @param when that head was put; empty if there is none
    /// @param entries number of the newest entry, in the state too
    public record Trail(
            String trail, long published, String head, Optional<Instant> when, long entries) {}

    /// What was found.
    ///
    /// @param findings what is wrong, the first ones; empty if all is well
    public record Report(List<Trail> trails, List<String> findings, long findingCount) {
        public Report {
            trails = List.copyOf(trails);
            findings = List.copyOf(findings);
        }

        public boolean ok() {
            return findingCount == 0;
        }
    }

    /// Reads everything.
    public Report run() {
        List<Trail> proved = new ArrayList<>();
        Set<String> trails = new HashSet<>(archive.trails());
        state.ifPresent(kept -> trails.addAll(kept.trails()));
        for (String trail : trails.stream().sorted().toList()) {
            proved.add(trail(trail));
        }
        for (AuditPublication.Earlier each : named) {
            String there = objects.get(each.object());
            if (there == null) {
                find("head " + each.object() + ", which a later one names, was removed");
            } else if (!there.equals(each.sha256())) {
                find("head " + each.object() + " was replaced: a later one names another content");
            }
        }
        return new Report(proved, findings, findingCount);
    }

    private void find(String what) {
        findingCount++;
        if (findings.size() < KEPT) {
            findings.add(what);
        }
    }

    /// What is known of a trail while it is gone through.
    private static final class Walk {
        final String trail;
        Optional<byte[]> key = Optional.empty();
        Optional<Instant> when = Optional.empty();
        long last;
        String head = AuditEntry.NONE;
        boolean complete = true;

        Walk(String trail) {
            this.trail = trail;
        }
    }

    private Trail trail(String trail) {
        Walk walk = new Walk(trail);
        for (String name : archive.names(trail)) {
            try {
                publication(walk, name);
            } catch (MainstayException broken) {
                if (BegunBackup.isPassing(broken)) {
                    throw broken;
                }
                walk.complete = false;
                find(broken.code().id() + ": " + broken.getMessage());
            }
        }
        long published = walk.last;
        String head = walk.head;
        state.ifPresent(kept -> behind(walk, kept));
        return new Trail(trail, published, head, walk.when, walk.last);
    }

    private void publication(Walk walk, String name) {
        AuditPublication each = archive.read(name);
        objects.put(name, each.sha256());
        named.addAll(each.earlier());
        if (each.key().isPresent() && each.last() == 0) {
            walk.key = each.key();
        }
        if (walk.key.isEmpty()) {
            find("head " + name + ": the beginning of its trail, with the public key, was removed");
        } else if (!each.isSignedBy(walk.key.get())) {
            find("head " + name + " is signed with another key than its trail's");
            return;
        }
        if (each.last() > 0) {
            entries(walk, each);
        }
        walk.when = Optional.of(each.published());
    }

    /// The entries of a publication: behind those before, and as its head says.
    private void entries(Walk walk, AuditPublication each) {
        String name = each.object();
        long first = each.entries().isEmpty() ? 0 : each.entries().getFirst().number();
        if (first == 0 || first > walk.last + 1) {
            find(
                    "entries "
                            + (walk.last + 1)
                            + " to "
                            + (first == 0 ? each.last() : first - 1)
                            + " of trail "
                            + walk.trail
                            + " are missing in the repository");
        } else if (first == walk.last + 1
                && !each.entries().getFirst().previous().equals(walk.head)) {
            find("entry " + first + " of " + name + " does not follow the one published before");
        }
        Optional<AuditEntry> before = Optional.empty();
        for (AuditEntry entry : each.entries()) {
            if (before.isPresent() && !follows(before.get(), entry)) {
                find("entry " + entry.number() + " of " + name + " does not follow the one before");
            }
            if (entry.number() == walk.last && !entry.hash().equals(walk.head)) {
                find(
                        "entry "
                                + entry.number()
                                + " of "
                                + name
                                + " is not the one published before");
            }
            before = Optional.of(entry);
        }
        boolean right =
                before.filter(end -> end.number() == each.last() && end.hash().equals(each.head()))
                        .isPresent();
        if (!right) {
            find("the entries of " + name + " are not those that its head was signed for");
        }
        state.ifPresent(kept -> compare(walk.trail, each.entries(), kept));
        walk.last = each.last();
        walk.head = each.head();
    }

    private static boolean follows(AuditEntry before, AuditEntry entry) {
        return entry.number() == before.number() + 1 && entry.previous().equals(before.hash());
    }

    /// Entries that were published, and the same ones in the state.
    private void compare(String trail, List<AuditEntry> published, AuditState kept) {
        if (published.isEmpty() || !kept.trails().contains(trail)) {
            return;
        }
        Map<Long, AuditState.Kept> there = new HashMap<>();
        kept.entries(trail, published.getFirst().number(), published.getLast().number())
                .forEach(each -> there.put(each.entry().number(), each));
        for (AuditEntry entry : published) {
            AuditState.Kept same = there.get(entry.number());
            if (same == null) {
                find(inState(entry.number(), trail) + " was removed");
            } else if (!same.hash().equals(entry.hash()) || !same.entry().equals(entry)) {
                find(inState(entry.number(), trail) + " was altered: another one was published");
            }
        }
    }

    private static String inState(long number, String trail) {
        return "entry " + number + " of trail " + trail + " in the state";
    }

    /// Entries of the state that are not published yet.
    private void behind(Walk walk, AuditState kept) {
        if (!kept.trails().contains(walk.trail) && !kept.end().trail().equals(walk.trail)) {
            return;
        }
        AuditState.End end = kept.end();
        boolean current = end.trail().equals(walk.trail);
        if (current && end.published() > walk.last) {
            find(
                    "the heads of trail "
                            + walk.trail
                            + " up to entry "
                            + end.published()
                            + " were removed from the repository, which has them up to "
                            + walk.last);
        }
        while (true) {
            List<AuditState.Kept> next =
                    kept.entries(walk.trail, walk.last + 1, walk.last + AT_ONCE);
            next.forEach(each -> kept(walk, each));
            if (next.isEmpty() && (!current || walk.last >= end.number())) {
                break;
            }
            if (next.isEmpty()) {
                find(
                        "entries "
                                + (walk.last + 1)
                                + " to "
                                + end.number()
                                + " of trail "
                                + walk.trail
                                + " were removed from the state");
                return;
            }
        }
        if (current && walk.last == end.number() && !walk.head.equals(end.hash())) {
            find("the state's head of trail " + walk.trail + " is not its newest entry");
        }
        if (current && walk.last > end.number()) {
            find(
                    "trail "
                            + walk.trail
                            + " ends with entry "
                            + end.number()
                            + " in the state, and entry "
                            + walk.last
                            + " is on record: it was cut off, or set back");
        }
    }

    private void kept(Walk walk, AuditState.Kept each) {
        AuditEntry entry = each.entry();
        if (entry.number() != walk.last + 1) {
            find(
                    "entries "
                            + (walk.last + 1)
                            + " to "
                            + (entry.number() - 1)
                            + " of trail "
                            + walk.trail
                            + " were removed from the state");
        } else if (walk.complete && !entry.previous().equals(walk.head)) {
            find(inState(entry.number(), walk.trail) + " does not follow the one before");
        }
        if (!entry.hash().equals(each.hash())) {
            find(inState(entry.number(), walk.trail) + " was altered");
        }
        walk.last = entry.number();
        walk.head = each.hash();
        walk.complete = true;
    }
}
