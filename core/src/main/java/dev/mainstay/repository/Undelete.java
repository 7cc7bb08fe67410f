package dev.mainstay.repository;

import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PastStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.wrap.Throttle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Brings back what a repository held at some time and does not hold any more, or holds with other
/// content: what was deleted, overwritten or replaced since, by whomever. What came since stays.
///
/// Keys and content come before the records that name them, as in a copy. What backups and
/// collectors put for a moment only is left alone. For one use.
public final class Undelete {
    private static final List<String> ORDER =
            List.of(
                    Names.ROOT_KEYS,
                    Names.EPOCHS,
                    Names.FORMAT,
                    Names.SOURCE_KEYS,
                    Names.PACKS,
                    Names.MOVED,
                    Names.INDEXES,
                    Names.WAL,
                    Names.PARTS,
                    Names.SLOTS,
                    Names.RECORDS,
                    Names.SUMMARIES);

    /// What was done.
    ///
    /// @param uncovered objects that count again without moving their bytes
    /// @param putAgain objects whose bytes were read and put again
    /// @param damaged objects that were damaged then already, by name, and why
    public record Result(
            Amount uncovered, Amount putAgain, List<RepositoryCopy.DamagedObject> damaged) {}

    private final PastStore past;
    private final ObjectStore present;

    /// @param past as it was
    /// @param present as it is, and is to be
    public Undelete(PastStore past, ObjectStore present) {
        this.past = past;
        this.present = present;
    }

    /// What would come back, by the first word of the names. Nothing is changed.
    public Map<String, Amount> plan() {
        Map<String, Amount> plan = new TreeMap<>();
        for (StoredObject object : hidden()) {
            plan.merge(
                    object.name().split("/", -1)[0],
                    Amount.NONE.plus(object.sizeBytes()),
                    Amount::plus);
        }
        return plan;
    }

    private List<StoredObject> hidden() {
        List<StoredObject> hidden = new ArrayList<>();
        for (String prefix : ORDER) {
            past.forEachHidden(
                    prefix,
                    object -> {
                        if (StoreSurvey.isName(object.name())
                                && !isWhole(object.name())
                                && !Shredding.isDone(present, object.name())) {
                            hidden.add(object);
                        }
                    });
        }
        return hidden;
    }

    /// Parts of segments that are stored whole by now were removed in good order.
    private boolean isWhole(String name) {
        if (!name.startsWith(Names.PARTS)) {
            return false;
        }
        String whole = Names.wholeOfPart(name);
        return present.size(whole).isPresent() || past.size(whole).isPresent();
    }

    /// Brings it back. Whatever stops it, it can be run again.
    public Result run() {
        Amount uncovered = Amount.NONE;
        try (ObjectCopies copies =
                new ObjectCopies(past, present, Throttle.of(Optional.empty()), 1, _ -> {})) {
            for (StoredObject object : hidden()) {
                switch (past.uncover(object.name())) {
                    case DONE -> uncovered = uncovered.plus(object.sizeBytes());
                    case REFUSED -> {
                        DeleteOutcome _ = present.delete(object.name());
                        copies.copyNow(object);
                    }
                }
            }
            return new Result(uncovered, RepositoryCopy.total(copies.copied()), copies.damaged());
        }
    }
}
