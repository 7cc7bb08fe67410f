package dev.mainstay.engine.proof;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.SegmentSummaries;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Donor;
import dev.mainstay.repository.KnownLoss;
import dev.mainstay.repository.ObjectRepair;
import dev.mainstay.repository.ObjectRepair.Repaired;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.StoredObject;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Verifies a repository, puts right what is found, and verifies again what was put right and what
/// came to light by it, until nothing more can be done. The last verification is the report: what
/// it finds is what stays lost.
public final class Repair {
    /// What was done.
    ///
    /// @param left what a verification still finds
    /// @param unasked copies that could not be asked, and why
    public record Report(List<Repaired> repaired, VerifyReport left, Map<String, String> unasked) {
        public Report {
            repaired = List.copyOf(repaired);
        }
    }

    private static final int LOOK_BACK = 256;

    private final Supplier<Repository> opening;
    private final List<Donor> donors;
    private final RepositoryCheck.Options options;
    private final Progress progress;
    private final List<Repaired> repaired = new ArrayList<>();
    private final Map<String, String> unasked = new TreeMap<>();
    private final Set<String> touched = new HashSet<>();
    private final Set<String> suspects = new HashSet<>();
    private final List<KnownLoss> known = new ArrayList<>();

    /// @param opening opens the repository, again and again: keys that were put right count for who
    ///   opens it afterwards
    /// @param options what is read to find damage; what was found once is read in any case
    public Repair(
            Supplier<Repository> opening,
            List<Donor> donors,
            RepositoryCheck.Options options,
            Progress progress) {
        this.opening = opening;
        this.donors = List.copyOf(donors);
        this.options = options;
        this.progress = progress;
    }

    /// @throws MainstayException where the store cannot be asked, or does not take what is put
    ///   (REPAIR_NOT_KEPT); what was put right before counts
    public Report run() {
        Optional<RepositoryCheck.Options> reading = Optional.empty();
        while (true) {
            try (Repository repository = opening.get()) {
                RepositoryCheck.Options now = reading.orElseGet(() -> first(repository));
                VerifyReport report = new Verification(repository, now, progress).run();
                progress.begin("repairing", 0);
                int before = repaired.size();
                round(repository, report);
                progress.end();
                if (repaired.size() == before) {
                    report.contents().losses().forEach((source, loss) -> loss.record(source));
                    return new Report(repaired, report, unasked);
                }
            }
            reading =
                    Optional.of(
                            options.reading(
                                    object ->
                                            suspects.contains(object.name())
                                                    || isKnownLost(object.name())));
        }
    }

    /// What is known to be lost is looked at again, however little is read else.
    private RepositoryCheck.Options first(Repository repository) {
        repository.sources((_, _) -> {}).stream()
                .map(source -> KnownLoss.of(source.records()))
                .forEach(known::add);
        if (options.percent() >= 100 && options.chosen().isEmpty()) {
            return options;
        }
        Random sample = new Random(options.seed());
        Predicate<StoredObject> chosen =
                options.chosen().orElse(_ -> sample.nextDouble() * 100 < options.percent());
        return options.reading(
                object -> {
                    boolean due = chosen.test(object); // asked of every object, as it wants to be
                    return due || isKnownLost(object.name());
                });
    }

    private boolean isKnownLost(String object) {
        return known.stream().anyMatch(loss -> loss.isIn(object));
    }

    private void round(Repository repository, VerifyReport report) {
        ObjectRepair work = new ObjectRepair(repository, donors);
        int before = repaired.size();
        for (VerifyReport.Finding finding : report.findings()) {
            suspects.add(finding.object());
            for (String object : work.suspects(finding.object(), finding.code())) {
                suspects.add(object);
                attempt(object, work::repair);
            }
        }
        if (repaired.size() == before) { // else what is wrong with them may be put right by now
            for (VerifyReport.Finding each : report.findings()) {
                attempt(each.object(), object -> summary(repository, each, work.isBroken(object)));
                if (!each.backups().isEmpty()) {
                    for (String object : work.compacted(each.object())) {
                        suspects.add(object);
                        attempt(object, work::repair);
                    }
                }
            }
        }
        if (report.ok()) {
            repaired.addAll(work.missingIndexes());
        }
        unasked.putAll(work.unasked());
    }

    /// What was put right once is not tried again: what is wrong with it is something else.
    private void attempt(String object, Function<String, Optional<Repaired>> how) {
        if (!touched.contains(object)) {
            how.apply(object)
                    .ifPresent(
                            done -> {
                                touched.add(done.object());
                                repaired.add(done);
                            });
        }
    }

    /// A summary can be made again from its segment, and is not needed where that cannot be done.
    ///
    /// @param broken whether nothing can be read of it, rather than that it says something else
    ///   than the segment, or that one of them lacks its key
    private static Optional<Repaired> summary(
            Repository repository, VerifyReport.Finding finding, boolean broken) {
        String name = finding.object();
        String[] words = name.split("/", -1);
        boolean wrong = broken || finding.code() == ErrorCode.OBJECT_DAMAGED;
        if (!words[0].equals("summaries") || !wrong || repository.store().size(name).isEmpty()) {
            return Optional.empty();
        }
        SystemId system = SystemId.parse(words[1]);
        for (ProtectedSource source : repository.sources((_, _) -> {})) {
            Optional<WalSegment> segment = segment(source, system, words[3]);
            WalArchive archive = source.wal(system, 3);
            if (segment.isPresent() && remade(archive, segment.get())) {
                return Optional.of(new Repaired(name, "made again from its segment"));
            }
        }
        if (!broken || repository.store().delete(name) == DeleteOutcome.REFUSED) {
            return Optional.empty();
        }
        return Optional.of(new Repaired(name, "removed: it only saves reading the WAL"));
    }

    private static boolean remade(WalArchive archive, WalSegment segment) {
        try {
            return new SegmentSummaries(archive, LOOK_BACK).remake(segment);
        } catch (MainstayException unreadable) {
            if (unreadable.code() == ErrorCode.STORE_UNAVAILABLE) {
                throw unreadable;
            }
            return false; // its segment is damaged or another source's
        }
    }

    private static Optional<WalSegment> segment(
            ProtectedSource source, SystemId system, String file) {
        for (CommittedBackup backup : source.backups()) {
            var details = Verification.details(backup);
            if (details.filter(each -> each.systemId().equals(system)).isPresent()) {
                int size = details.get().layout().walSegmentSize();
                return Optional.of(WalSegment.parse(file, size));
            }
        }
        return Optional.empty();
    }
}
