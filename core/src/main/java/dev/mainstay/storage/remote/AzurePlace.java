package dev.mainstay.storage.remote;

import java.net.URI;
import java.util.Optional;

/// A prefix of a container of Azure Blob Storage.
///
/// @param prefix what the names of all objects begin with, without the slash that follows; empty
///   for the whole container
/// @param endpoint of the account's blobs: a sovereign cloud, a private link or an emulator;
///   without it that of the public cloud, or what a connection string says
public record AzurePlace(
        String account,
        String container,
        String prefix,
        Optional<URI> endpoint,
        Login login,
        Storing storing,
        Route route)
        implements RemotePlace {
    /// In the public cloud, by the environment's own settings.
    public static AzurePlace of(String account, String container, String prefix) {
        return new AzurePlace(
                account,
                container,
                prefix,
                Optional.empty(),
                new Login.Chain(Optional.empty(), Optional.empty()),
                Storing.AS_THE_ACCOUNT_SAYS,
                Route.DIRECT);
    }

    @Override
    public String scheme() {
        return "az";
    }

    @Override
    public String url() {
        String whole = "az://" + account + "/" + container;
        return prefix.isEmpty() ? whole : whole + "/" + prefix;
    }

    /// Who asks.
    public sealed interface Login {
        /// What the environment, a workload identity, the managed identity of this host or `az
        /// login` give.
        ///
        /// @param clientId of a managed identity that is not the host's only one
        /// @param authority that gives tokens; without it that of the public cloud, or what the
        ///   environment says
        record Chain(Optional<String> clientId, Optional<URI> authority) implements Login {}

        /// The account's own key, which may do everything.
        record AccountKey(String key) implements Login {
            @Override
            public String toString() {
                return "AccountKey(hidden)";
            }
        }

        /// A shared access signature.
        record Sas(String token) implements Login {
            @Override
            public String toString() {
                return "Sas(hidden)";
            }
        }

        /// Endpoint and key, or signature, in one text.
        record ConnectionString(String text) implements Login {
            @Override
            public String toString() {
                return "ConnectionString(hidden)";
            }
        }
    }

    /// How objects are kept.
    ///
    /// @param accessTier as Azure calls it; without it the account's own
    /// @param encryptionScope whose key the server encrypts with; without it the container's own
    public record Storing(Optional<String> accessTier, Optional<String> encryptionScope) {
        public static final Storing AS_THE_ACCOUNT_SAYS =
                new Storing(Optional.empty(), Optional.empty());
    }
}
