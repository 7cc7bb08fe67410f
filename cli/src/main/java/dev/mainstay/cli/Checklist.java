package dev.mainstay.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What was looked at and how it stands, by subject: as text a line for each, with what to do under
/// those that are not well; in JSON an array of objects.
final class Checklist {
    /// @param whatToDo empty where nothing is to be done
    record Item(
            String subject,
            State state,
            String id,
            String finding,
            String whatToDo,
            Optional<String> statement,
            boolean restart) {}

    private final List<Item> items = new ArrayList<>();

    void add(Item item) {
        items.add(item);
    }

    List<Item> items() {
        return items;
    }

    long count(State state) {
        return items.stream().filter(item -> item.state == state).count();
    }
}
