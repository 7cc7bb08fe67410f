package dev.mainstay.it;

import java.io.File;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// What a program has done so far, as seen from outside: a number of events that only grows.
interface Watch {
    /// Looks, and counts.
    long events();

    /// What the last event was, in a word or two.
    String last();

    /// Counts names that appear below folders. What vanishes between two looks may be missed.
    final class Names implements Watch {
        private final Path base;
        private final List<String> folders;
        private final Predicate<String> counts;
        private final Set<String> seen = new HashSet<>();
        private long events;
        private String last = "nothing";

        /// What is there already does not count.
        ///
        /// @param folders below `base`; one of them may be empty: `base` itself
        /// @param counts of a path below `base`
        Names(Path base, List<String> folders, Predicate<String> counts) {
            this.base = base;
            this.folders = folders;
            this.counts = counts;
            look(false);
        }

        private void look(boolean counting) {
            for (String folder : folders) {
                look(base.resolve(folder).toFile(), folder, counting);
            }
        }

        private void look(File directory, String path, boolean counting) {
            File[] children = directory.listFiles();
            if (children == null) {
                return; // it is not there, or no longer
            }
            for (File child : children) {
                String name = path.isEmpty() ? child.getName() : path + "/" + child.getName();
                if (child.isDirectory()) {
                    look(child, name, counting);
                } else if (child.isFile() && counts.test(name) && seen.add(name) && counting) {
                    events++;
                    if (!name.startsWith(".")) { // a temporary file is no result yet
                        last = kind(name);
                    }
                }
            }
        }

        private static String kind(String name) {
            String[] words = name.split("/", -1);
            return words[0].equals("packs") ? words[0] + "/" + words[1] : words[0];
        }

        @Override
        public long events() {
            look(true);
            return events;
        }

        @Override
        public String last() {
            return last;
        }
    }

    /// Counts steps that come one after the other.
    final class Steps implements Watch {
        /// @param reached stays so, or only later steps follow
        record Step(String name, java.util.function.BooleanSupplier reached) {}

        private final List<Step> steps;
        private int done;

        Steps(List<Step> steps) {
            this.steps = steps;
        }

        @Override
        public long events() {
            for (int i = steps.size(); i > done; i--) {
                if (steps.get(i - 1).reached().getAsBoolean()) {
                    done = i;
                }
            }
            return done;
        }

        @Override
        public String last() {
            return done == 0 ? "nothing" : steps.get(done - 1).name();
        }
    }

    /// Several as one.
    static Watch all(List<Watch> watches) {
        return new Watch() {
            private String last = "nothing";
            private final long[] before = new long[watches.size()];

            @Override
            public long events() {
                long sum = 0;
                for (int i = 0; i < before.length; i++) {
                    long now = watches.get(i).events();
                    if (now > before[i]) {
                        before[i] = now;
                        last = watches.get(i).last();
                    }
                    sum += now;
                }
                return sum;
            }

            @Override
            public String last() {
                return last;
            }
        };
    }
}
