package dev.mainstay.repository.format;

/// Where a frame is: the pack it was written into, its number there, and its bytes. A `moved`
/// object may say that it is elsewhere by now.
public record FrameRef(PackClass packClass, PackId pack, int number, long offset, int length) {
    public void write(WireWriter out) {
        out.u8(packClass.number()).raw(pack.sha256()).varint(number).varint(offset).varint(length);
    }

    public static FrameRef read(WireReader in) {
        return new FrameRef(
                PackClass.read(in), new PackId(in.raw(32)), in.count(), in.varint(), in.count());
    }
}
