package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Frames of a source that no copy had either when it was last repaired: what the newest record of
/// type `lost` says (docs/format.md section 9). Backups store again what they would have taken from
/// there.
///
/// @param frames numbers of lost frames by the hex name of their pack
/// @param files paths of files that any backup has no more as a whole
public record KnownLoss(Map<String, BitSet> frames, Set<String> files) {
    static final KnownLoss NONE = new KnownLoss(Map.of(), Set.of());
    private static final String TYPE = "lost";

    public KnownLoss {
        frames = new TreeMap<>(frames);
        files = new TreeSet<>(files);
    }

    static KnownLoss of(Map<PackId, Set<Integer>> spoilt, Collection<LostFile> files) {
        Map<String, BitSet> frames = new TreeMap<>();
        spoilt.forEach(
                (pack, numbers) -> {
                    BitSet bits = new BitSet();
                    numbers.forEach(bits::set);
                    frames.put(pack.hex(), bits);
                });
        return new KnownLoss(frames, new TreeSet<>(files.stream().map(LostFile::path).toList()));
    }

    /// What the newest such record says; one that is malformed says nothing.
    public static KnownLoss of(RecordChain chain) {
        List<RecordChain.Event> records =
                chain.records().stream().filter(each -> each.type().equals(TYPE)).toList();
        try {
            return records.isEmpty() ? NONE : read(records.getLast().body().object("body"));
        } catch (MainstayException | IllegalArgumentException | IndexOutOfBoundsException wrong) {
            return NONE;
        }
    }

    private static KnownLoss read(Json body) {
        Map<String, BitSet> frames = new TreeMap<>();
        for (Json pack : body.objects("packs")) {
            BitSet numbers = new BitSet();
            for (String range : pack.strings("frames")) {
                String[] ends = range.split("-", 2);
                int from = Integer.parseInt(ends[0]);
                numbers.set(from, Integer.parseInt(ends[ends.length - 1]) + 1);
            }
            frames.put(pack.string("pack"), numbers);
        }
        return new KnownLoss(frames, new TreeSet<>(body.strings("files")));
    }

    private Json toJson() {
        List<Json> packs = new ArrayList<>();
        frames.forEach(
                (pack, numbers) ->
                        packs.add(
                                Json.object()
                                        .put("pack", pack)
                                        .putStrings("frames", ranges(numbers))));
        return Json.object().put("packs", packs).putStrings("files", List.copyOf(files));
    }

    private static List<String> ranges(BitSet numbers) {
        String text = LostFile.ranges(numbers);
        return text.isEmpty() ? List.of() : List.of(text.split(", ", -1));
    }

    /// Puts it on record, unless the newest record says the same.
    ///
    /// @return whether it did
    public boolean record(ProtectedSource source) {
        RecordChain chain = source.records();
        if (of(chain).equals(this)) {
            return false;
        }
        chain.append(TYPE, toJson());
        return true;
    }

    boolean contains(FrameRef frame) {
        BitSet numbers = frames.get(frame.pack().hex());
        return numbers != null && numbers.get(frame.number());
    }

    /// Whether anything of a pack is lost, by the pack's name.
    public boolean isIn(String packName) {
        return frames.containsKey(packName.substring(packName.lastIndexOf('/') + 1));
    }

    boolean isEmpty() {
        return frames.isEmpty();
    }
}
