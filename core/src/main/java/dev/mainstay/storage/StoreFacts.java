package dev.mainstay.storage;

/// What stores differ in. Probed when a store is opened, never assumed.
///
/// @param url what the store calls itself in messages
/// @param putIfAbsent exactly one of several racing puts wins
/// @param listAfterPut a listing shows every put that returned before it began
/// @param durable what was put survives a crash of the host
/// @param retentionLock objects can be locked against deletion for a time
public record StoreFacts(
        String url,
        boolean putIfAbsent,
        boolean listAfterPut,
        boolean durable,
        boolean retentionLock) {}
