package dev.mainstay.storage.remote;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.Optional;
import java.util.ServiceLoader;

/// What a module brings that speaks to a kind of key service: a service by this type. Each call is
/// a request, and tried again where that can help.
public interface KeyCipher {
    /// As [RemoteKey#kind].
    String kind();

    /// Has the service encrypt a few bytes.
    ///
    /// @param plain up to 4 KiB
    /// @param bound not secret, and seen in the service's log; must be the same to decrypt
    /// @throws MainstayException KEY_SERVICE if it cannot be asked or refuses
    byte[] encrypt(RemoteKey key, byte[] plain, String bound);

    /// Has the service decrypt.
    ///
    /// @return empty if another key or another `bound` encrypted it, or it was changed
    /// @throws MainstayException KEY_SERVICE if it cannot be asked or refuses
    Optional<byte[]> decrypt(RemoteKey key, byte[] sealed, String bound);

    /// What speaks to the service of this key.
    static KeyCipher of(RemoteKey key) {
        for (KeyCipher cipher : ServiceLoader.load(KeyCipher.class)) {
            if (cipher.kind().equals(key.kind())) {
                return cipher;
            }
        }
        throw new MainstayException(
                ErrorCode.KEY_SERVICE,
                "this program has no module for " + key.kind(),
                "install Mainstay as a whole",
                null);
    }

    /// Why a key cannot be used.
    ///
    /// @param said what the service or the network says
    /// @param hint what to do
    static MainstayException failed(RemoteKey key, String said, String hint, Throwable cause) {
        return new MainstayException(
                ErrorCode.KEY_SERVICE,
                "key " + key.key() + " of " + key.kind() + " cannot be used: " + said,
                hint,
                cause);
    }
}
