/// What a Redis server does in one step, so that two gateways that do the same at the same time do not undo each other's work.
///
/// | key | is |
/// |---|---|
/// | `sallyport:session:KEY` | a hash: `user`, `began`, `ends`, `version`, `sealed`; it expires when the session does |
/// | `sallyport:user:USER` | a sorted set of the user's KEYs, by when they were last used |
/// | `sallyport:sessions` | a sorted set of all KEYs, by when they will have expired |
///
/// KEY and USER are hashes in hexadecimal. Times are milliseconds since 1970, and the gateways' own: a server whose clock is
/// wrong keeps a session too long or too short by its own count of how long, and not by what time it takes it to be. Scripts
/// make keys that they were not told, so that they are for one server and not for a cluster of them.
enum SessionScripts {
  static let prefix = "sallyport:"

  /// The beginning of every script.
  private static let head = """
    local function session(key) return 'sallyport:session:' .. key end
    local function user(name) return 'sallyport:user:' .. name end
    local all = 'sallyport:sessions'
    local function remove(key)
      local name = redis.call('HGET', session(key), 'user')
      redis.call('DEL', session(key))
      redis.call('ZREM', all, key)
      if name then redis.call('ZREM', user(name), key) end
    end

    """

  /// ARGV: KEY, USER, now, began, ends, idle, sealed, most of a user's, most at all, longest life of any session.
  /// Returns `began` and the KEYs that made room, or `full`.
  static let begin =
    Self.head + """
      local key, name, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
      if redis.call('EXISTS', session(key)) == 1 then return {'full'} end
      redis.call('ZREMRANGEBYSCORE', all, '-inf', now)
      local own = {}
      for _, other in ipairs(redis.call('ZRANGE', user(name), 0, -1)) do
        if redis.call('EXISTS', session(other)) == 1 then own[#own + 1] = other else redis.call('ZREM', user(name), other) end
      end
      local answer = {'began'}
      while #own >= tonumber(ARGV[8]) do
        local oldest = table.remove(own, 1)
        remove(oldest)
        answer[#answer + 1] = oldest
      end
      if redis.call('ZCARD', all) >= tonumber(ARGV[9]) then return {'full'} end
      local left = math.min(tonumber(ARGV[6]), tonumber(ARGV[5]) - now)
      if left < 1 then return {'full'} end
      redis.call('HSET', session(key), 'user', name, 'began', ARGV[4], 'ends', ARGV[5], 'version', 1, 'sealed', ARGV[7])
      redis.call('PEXPIRE', session(key), left)
      redis.call('ZADD', all, now + left, key)
      redis.call('ZADD', user(name), now, key)
      redis.call('PEXPIRE', user(name), ARGV[10])
      return answer
      """

  /// ARGV: KEY, now, idle, lifetime. Returns user, began, ends, version and sealed, or nothing.
  static let use =
    Self.head + """
      local key, now = ARGV[1], tonumber(ARGV[2])
      local found = redis.call('HMGET', session(key), 'user', 'began', 'ends', 'version', 'sealed')
      if not found[1] then return nil end
      local ends = math.min(tonumber(found[3]), tonumber(found[2]) + tonumber(ARGV[4]))
      local left = math.min(tonumber(ARGV[3]), ends - now)
      if left < 1 then
        remove(key)
        return nil
      end
      redis.call('PEXPIRE', session(key), left)
      redis.call('ZADD', all, 'XX', now + left, key)
      redis.call('ZADD', user(found[1]), 'XX', now, key)
      return found
      """

  /// ARGV: KEY, version, sealed. Returns 1 where it was done.
  static let replace =
    Self.head + """
      if redis.call('HGET', session(ARGV[1]), 'version') ~= ARGV[2] then return 0 end
      redis.call('HSET', session(ARGV[1]), 'sealed', ARGV[3])
      redis.call('HINCRBY', session(ARGV[1]), 'version', 1)
      return 1
      """

  /// ARGV: KEY.
  static let end = Self.head + "remove(ARGV[1]) return 1"

  /// ARGV: USER. Returns the KEYs.
  static let endAll =
    Self.head + """
      local own = redis.call('ZRANGE', user(ARGV[1]), 0, -1)
      for _, key in ipairs(own) do remove(key) end
      return own
      """
}
