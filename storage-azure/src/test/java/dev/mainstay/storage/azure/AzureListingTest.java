package dev.mainstay.storage.azure;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.azure.core.util.BinaryData;

import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.testkit.azure.Azurite;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Random;
import java.util.TreeSet;

/// Listings that begin behind a name, in folders that are larger than one answer.
final class AzureListingTest {
    private static final long SEED = 20261122;

    private static @Nullable Azurite server;

    @BeforeAll
    static void start() throws Exception {
        server = Azurite.start();
        server.makeContainer("lists");
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    private static ObjectStore store(String prefix, int page) {
        Azurite running = Objects.requireNonNull(server);
        return AzureStore.open(Places.on(running, "lists", prefix), Map.of(), 1 << 20, page);
    }

    private static void put(ObjectStore store, String name) {
        store.put(name, ByteBuffer.wrap(name.getBytes(US_ASCII)));
    }

    @Test
    void theNextNameIsFoundWhereverOneBegins() {
        try (ObjectStore store = store("wal", 5)) {
            NavigableSet<String> names = new TreeSet<>();
            for (int timeline = 1; timeline <= 3; timeline++) {
                for (int segment = 0; segment < 60; segment += timeline) {
                    names.add("wal/7/%08X/%08X%08X".formatted(timeline, timeline, segment * 7));
                }
            }
            names.add("wal/7-x");
            names.add("wal/7/00000002");
            names.add("format");
            names.forEach(name -> put(store, name));
            Random random = new Random(SEED);
            for (int i = 0; i < 200; i++) {
                String after = someName(names, random);
                String prefix = i % 2 == 0 ? "wal/7/" : after.substring(0, random.nextInt(after.length()));
                if (prefix.startsWith("/") || prefix.contains("//")) {
                    continue;
                }
                List<String> wanted =
                        names.tailSet(after, false).stream()
                                .filter(name -> name.startsWith(prefix))
                                .toList();
                ListPage page = store.list(prefix, after, 3);
                List<String> seen = page.objects().stream().map(StoredObject::name).toList();
                String told = "seed %d: '%s' after '%s'".formatted(SEED, prefix, after);
                assertThat(seen.isEmpty()).as(told).isEqualTo(wanted.isEmpty());
                assertThat(seen).as(told).isEqualTo(wanted.subList(0, seen.size()));
            }
        }
    }

    /// A console makes one for what it shows as a folder.
    @Test
    void anObjectWithTheNameOfThePrefixIsNoneOfOurs() {
        Azurite running = Objects.requireNonNull(server);
        try (ObjectStore store = store("made/by/hand", 5)) {
            AzureConnection.open(Places.on(running, "lists", ""), Map.of())
                    .getBlobClient("made/by/hand/")
                    .upload(BinaryData.fromBytes(new byte[0]));
            store.put("format", ByteBuffer.allocate(3));
            assertThat(store.list("", "", 10).objects())
                    .containsExactly(new StoredObject("format", 3));
        }
    }

    /// One that is there, or one that nearly is.
    private static String someName(NavigableSet<String> names, Random random) {
        String name = List.copyOf(names).get(random.nextInt(names.size()));
        return switch (random.nextInt(5)) {
            case 0 -> name.substring(0, 1 + random.nextInt(name.length()));
            case 1 -> name + "~";
            case 2 -> name.substring(0, name.length() - 1) + "A";
            case 3 -> name.substring(0, name.lastIndexOf('/') + 1) + "~";
            default -> name;
        };
    }

    @Test
    void whatWasPutSinceAPageIsSeenByAListingThatBeginsBehindItsLastName() {
        try (ObjectStore store = store("since", 5)) {
            for (int i = 10; i < 40; i++) {
                put(store, "slots/" + i + "0");
            }
            ListPage page = store.list("slots/", "", 3);
            assertThat(page.objects().getLast().name()).isEqualTo("slots/120");
            put(store, "slots/125");
            assertThat(store.list("slots/", "slots/120", 1).objects().getFirst().name())
                    .isEqualTo("slots/125");
        }
    }

    @Test
    void namesThatAreNoneOfOursAreLeftOut() {
        Azurite running = Objects.requireNonNull(server);
        running.put("lists", "odd/a b", "x");
        running.put("lists", "odd/folder//", "x");
        running.put("lists", "odd/m", "x");
        running.put("lists", "odd/zz~", "x");
        try (ObjectStore store = store("odd", 1)) {
            assertThat(store.list("", "", 10).objects()).containsExactly(new StoredObject("m", 1));
            assertThat(store.list("", "a", 1).objects()).containsExactly(new StoredObject("m", 1));
            assertThat(store.list("", "m", 1)).isEqualTo(new ListPage(List.of(), true));
        }
    }
}
