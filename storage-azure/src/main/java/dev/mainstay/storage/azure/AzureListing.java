package dev.mainstay.storage.azure;

import com.azure.core.http.rest.PagedIterable;
import com.azure.core.http.rest.PagedResponse;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.models.ListBlobsOptions;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.StoredObject;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Listings in the order of names, by pages.
///
/// Azure goes on with a listing by a marker that only it understands, and begins none behind a name.
/// So [ListPage#next] carries the marker, and whoever reads on with it needs one request a page. A
/// marker is never kept here: used later, it would hide what was put since before the name where it
/// goes on. Where somebody begins behind a name, [Seek] finds the place by prefixes and folders.
/// (`startFrom`, which the SDK offers, is documented for accounts with a hierarchical namespace, and
/// those list in another order.)
final class AzureListing {
    /// What Azure returns at most.
    static final int MOST = 5000;

    private static final String FOLDERS = "/";

    /// Between the last name of a page and its marker; in no name.
    private static final char MARKED = '\n';

    private final BlobContainerClient container;
    private final String root;
    private final Failures failures;
    private final int most;

    /// A blob, or a folder, whose name ends with a slash.
    record Entry(String key, boolean folder, long bytes) {}

    /// @param marker to read on; empty at the end
    record Answer(List<Entry> entries, String marker) {
        boolean ended() {
            return marker.isEmpty();
        }
    }

    /// @param root what all keys begin with
    /// @param most entries that are asked for at once where it is not known how many are wanted
    AzureListing(BlobContainerClient container, String root, Failures failures, int most) {
        this.container = container;
        this.root = root;
        this.failures = failures;
        this.most = most;
    }

    ListPage page(String prefix, String after, int limit) {
        String what = "cannot list '" + prefix + "'";
        return failures.asked(
                what,
                () -> {
                    int cut = after.indexOf(MARKED);
                    if (cut < 0) {
                        return begun(prefix, after, limit, what);
                    }
                    try {
                        return flat(prefix, after.substring(cut + 1), limit, true, what);
                    } catch (BlobStorageException answered) {
                        if (answered.getStatusCode() != 400) {
                            throw answered;
                        }
                        return begun(prefix, after.substring(0, cut), limit, what); // it is too old
                    }
                });
    }

    private ListPage begun(String prefix, String after, int limit, String what) {
        if (after.startsWith(prefix) && !after.isEmpty()) {
            return behind(prefix, after, limit, what);
        }
        return after.compareTo(prefix) < 0 || after.isEmpty()
                ? flat(prefix, "", limit, true, what)
                : new ListPage(List.of(), true);
    }

    /// Names that no object of ours can have are left out.
    ///
    /// @param whole whether nothing else is to be listed, so that its marker tells how to go on
    private ListPage flat(
            String prefix, String marker, int limit, boolean whole, String what) {
        String from = marker;
        while (true) {
            Answer answer = ask(root + prefix, from, Math.min(limit, MOST), false);
            List<StoredObject> objects = objects(answer.entries(), what);
            if (!objects.isEmpty() || answer.ended()) {
                boolean last = whole && answer.ended();
                return whole && !last && !objects.isEmpty()
                        ? new ListPage(
                                objects, false, objects.getLast().name() + MARKED + answer.marker())
                        : new ListPage(objects, last);
            }
            from = answer.marker();
        }
    }

    private List<StoredObject> objects(List<Entry> entries, String what) {
        List<StoredObject> objects = new ArrayList<>();
        String before = "";
        for (Entry each : entries) {
            String name = each.key().substring(root.length());
            if (!before.isEmpty() && name.compareTo(before) <= 0) { // "": a folder of a console
                throw failures.disordered(what, before, name);
            }
            before = name;
            if (ObjectName.isValid(name)) {
                objects.add(new StoredObject(name, each.bytes()));
            }
        }
        return objects;
    }

    private ListPage behind(String prefix, String after, int limit, String what) {
        String from = root + after;
        while (true) {
            List<Entry> run = new Seek(this, root + prefix).behind(from);
            if (run.isEmpty()) {
                return new ListPage(List.of(), true);
            }
            Entry first = run.getFirst();
            int end = 0;
            while (end < run.size() && end < limit && !run.get(end).folder()) {
                end++;
            }
            ListPage page =
                    first.folder()
                            ? flat(first.key().substring(root.length()), "", limit, false, what)
                            : new ListPage(objects(run.subList(0, end), what), false);
            if (!page.objects().isEmpty()) {
                return page;
            }
            // nothing of ours: no name of ours begins so and is behind a tilde
            from = first.folder() ? first.key() + "~" : run.get(end - 1).key();
        }
    }

    /// One answer, from the beginning of a prefix or from a marker.
    Answer level(String prefix, String marker) {
        return ask(prefix, marker, most, true);
    }

    private Answer ask(String prefix, String marker, int limit, boolean folders) {
        ListBlobsOptions options =
                new ListBlobsOptions().setPrefix(prefix).setMaxResultsPerPage(limit);
        PagedIterable<BlobItem> listing =
                folders
                        ? container.listBlobsByHierarchy(FOLDERS, options, null)
                        : container.listBlobs(options, null);
        @Nullable String from = marker.isEmpty() ? null : marker;
        PagedResponse<BlobItem> page = listing.iterableByPage(from).iterator().next();
        List<Entry> entries = new ArrayList<>();
        for (BlobItem item : page.getValue()) {
            boolean folder = Boolean.TRUE.equals(item.isPrefix());
            long bytes = folder ? 0 : item.getProperties().getContentLength();
            entries.add(new Entry(item.getName(), folder, bytes));
        }
        if (folders) {
            entries.sort(Comparator.comparing(Entry::key)); // the SDK gives blobs first
        }
        return new Answer(
                entries, Optional.ofNullable(page.getContinuationToken()).orElse(""));
    }
}
