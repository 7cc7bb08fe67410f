package dev.mainstay.storage.azure;

import dev.mainstay.storage.azure.AzureListing.Answer;
import dev.mainstay.storage.azure.AzureListing.Entry;

import java.util.List;

/// Finds what follows a key in a store that begins listings at prefixes only.
///
/// From the folder of the key upwards, each folder is asked for what is in it, folders below it
/// being one entry each. In a folder with more entries than one answer holds, more letters of the
/// key make the prefix longer, until the first answer reaches beyond the key: with too few letters
/// it ends before it, with too many nothing follows, and in between is searched by halves. Where
/// one letter makes the difference, the shorter prefix is read through by its markers, all of which
/// are of this one search.
final class Seek {
    private final AzureListing listing;
    private final String prefix;

    Seek(AzureListing listing, String prefix) {
        this.listing = listing;
        this.prefix = prefix;
    }

    /// Entries with the prefix that follow the key, from the first on; as many as one answer had, and
    /// none only if there is none.
    ///
    /// @param key begins with the prefix
    List<Entry> behind(String key) {
        String target = key;
        int most = key.length();
        while (true) {
            int slash = target.lastIndexOf('/', most - 1);
            String folder = slash < prefix.length() ? prefix : target.substring(0, slash + 1);
            List<Entry> found = in(folder, target, most);
            if (!found.isEmpty() || folder.equals(prefix)) {
                return found;
            }
            target = folder;
            most = folder.length() - 1; // with its slash the prefix would be that of what is in it
        }
    }

    /// @param most letters of the target that are of use in a prefix
    private List<Entry> in(String folder, String target, int most) {
        Answer all = listing.level(folder, "");
        List<Entry> found = beyond(all, target);
        if (!found.isEmpty() || all.ended()) {
            return found;
        }
        int many = most + 1;
        while (many > folder.length()) {
            int few = folder.length();
            while (many - few > 1) {
                int letters = (few + many) >>> 1;
                Answer some = listing.level(target.substring(0, letters), "");
                found = beyond(some, target);
                if (!found.isEmpty()) {
                    return found;
                }
                if (some.ended()) {
                    many = letters;
                } else {
                    few = letters;
                }
            }
            found = through(target.substring(0, few), target);
            if (!found.isEmpty()) {
                return found;
            }
            many = few;
        }
        return List.of();
    }

    private List<Entry> through(String some, String target) {
        String marker = "";
        while (true) {
            Answer answer = listing.level(some, marker);
            List<Entry> found = beyond(answer, target);
            if (!found.isEmpty() || answer.ended()) {
                return found;
            }
            marker = answer.marker();
        }
    }

    private static List<Entry> beyond(Answer answer, String target) {
        return answer.entries().stream()
                .filter(entry -> entry.key().compareTo(target) > 0)
                .toList();
    }
}
