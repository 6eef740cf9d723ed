package fraudstream.peer;

/** 64-bit hashes of ids. They only tell ids apart, so they need not be those of models/schema/hashing.py. */
final class Hash {
    private Hash() {
    }

    static long of(String text) {
        long hash = text.length();
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x9E3779B97F4A7C15L;
            hash ^= hash >>> 29;
        }
        hash = (hash ^ hash >>> 33) * 0xFF51AFD7ED558CCDL;
        return hash ^ hash >>> 33;
    }
}
