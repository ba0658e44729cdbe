/** What the log says of a record of the coordinators that a newer version, or the hand of a member, has written. */
export const UNREADABLE = 'A record of the coordinators cannot be read; what was read before stays';
