package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.CopySettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.engine.proof.Repair;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.repository.Donor;
import dev.mainstay.repository.Foundations;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ObjectRepair.Repaired;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.wrap.RateLimitedStore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// `mainstay verify --repair`: from the configured copies, or one of them.
final class Repairing implements AutoCloseable {
    private final Session session;
    private final List<Donor> donors = new ArrayList<>();
    private final Map<String, String> unasked = new TreeMap<>();
    private final List<Repaired> repaired = new ArrayList<>();

    private Repairing(Session session) {
        this.session = session;
    }

    /// @param from the copy to take from, which then has to answer; empty for all that do
    static Repairing open(Session session, Optional<String> from) {
        Repairing work = new Repairing(session);
        Collection<CopySettings> copies =
                from.map(name -> List.of(session.configuration().copy(name)))
                        .orElseGet(() -> List.copyOf(session.configuration().copies().values()));
        for (CopySettings copy : copies) {
            try {
                work.donors.add(new Donor(copy.name(), work.store(copy)));
            } catch (MainstayException failed) {
                if (from.isPresent() || failed.code() == ErrorCode.INTERRUPTED) {
                    throw failed;
                }
                work.unasked.put(copy.name(), failed.code().id() + ": " + failed.getMessage());
            }
        }
        return work;
    }

    private ObjectStore store(CopySettings copy) {
        ObjectStore store = RepositoryAccess.openExisting(copy.repository(), ground());
        try {
            Optional<Long> _ = store.size("format"); // does it answer?
        } catch (MainstayException failed) {
            store.close();
            throw failed;
        }
        return copy.maxRate()
                .<ObjectStore>map(rate -> RateLimitedStore.of(store, rate))
                .orElse(store);
    }

    private Ground ground() {
        return OpenSource.ground(session);
    }

    /// What the repository needs to be opened.
    void foundations() {
        try (ObjectStore bare =
                RepositoryAccess.openExisting(session.configuration().repository(), ground())) {
            repaired.addAll(Foundations.repair(bare, donors, ground()));
        }
    }

    Repair.Report run(RepositoryCheck.Options options) {
        RepositorySettings settings = session.configuration().repository();
        Repair.Report report =
                new Repair(
                                () -> RepositoryAccess.open(settings, ground()),
                                donors,
                                options,
                                session.progress())
                        .run();
        repaired.addAll(report.repaired());
        unasked.putAll(report.unasked());
        return new Repair.Report(repaired, report.left(), unasked);
    }

    /// The outcome in one line.
    static String headline(Repair.Report report, String fine) {
        long done = report.repaired().size();
        VerifyReport left = report.left();
        if (!left.ok()) {
            return ErrorCode.REPAIR_INCOMPLETE.id()
                    + ": "
                    + LockFindings.objects(done)
                    + " put right, "
                    + LockFindings.objects(left.findingCount())
                    + " still damaged or missing";
        }
        return done == 0 ? fine : LockFindings.objects(done) + " put right; " + fine;
    }

    static void describe(Document document, Repair.Report report) {
        Table table = Table.of("object", "how");
        report.repaired().forEach(each -> table.row(each.object(), each.how()));
        document.add("repairedCount", report.repaired().size()).add("repaired", table);
        if (!report.unasked().isEmpty()) {
            Table copies = Table.of("copy", "why");
            report.unasked().forEach(copies::row);
            document.add("copiesNotAsked", copies);
        }
    }

    @Override
    public void close() {
        donors.forEach(donor -> donor.store().close());
    }
}
