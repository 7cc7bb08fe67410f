package dev.mainstay.repository.format;

/// The meta of a `PAGES` frame: which file's pages it holds and which blocks, ascending
/// (docs/format.md section 4).
///
/// @param path of the relation segment file, relative to the data directory
/// @param blocks block numbers within that file, one for each page of the payload
public record PageList(String path, int blockSizeBytes, int[] blocks) {
    public byte[] toBytes() {
        WireWriter out = new WireWriter(path.length() + 16 + blocks.length);
        out.string(path).varint(blockSizeBytes).varint(blocks.length);
        int next = 0;
        for (int block : blocks) {
            out.varint(block - next);
            next = block + 1;
        }
        return out.toBytes();
    }

    public static PageList read(String what, byte[] meta) {
        WireReader in = new WireReader(what, meta);
        String path = in.string();
        int blockSize = in.count();
        int[] blocks = new int[Math.min(in.count(), 1 << 16)];
        long next = 0;
        for (int i = 0; i < blocks.length; i++) {
            long block = next + in.varint();
            if (block > Integer.MAX_VALUE || block < next) {
                throw in.malformed("block out of range");
            }
            blocks[i] = (int) block;
            next = block + 1;
        }
        in.expectEnd();
        return new PageList(path, blockSize, blocks);
    }
}
