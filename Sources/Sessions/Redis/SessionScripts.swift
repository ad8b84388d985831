/// What a Redis server does in one step, so that two gateways that do the same at the same time do not undo each other's work.
///
/// | key | is |
/// |---|---|
/// | `sallyport:session:KEY` | a hash: `user`, `tags`, `began`, `ends`, `version`, `sealed`; it expires when the session does |
/// | `sallyport:user:USER` | a sorted set of the user's KEYs, by when they were last used |
/// | `sallyport:tag:TAG` | a sorted set of the KEYs that a tag finds, by when they will be over |
/// | `sallyport:sessions` | a sorted set of all KEYs, by when they will have expired |
///
/// KEY, USER and TAG are hashes in hexadecimal; a session's tags stand behind each other with a blank between. Times are milliseconds since 1970, and the gateways' own: a server whose clock is
/// wrong keeps a session too long or too short by its own count of how long, and not by what time it takes it to be. Scripts
/// make keys that they were not told, so that they are for one server and not for a cluster of them.
enum SessionScripts {
  static let prefix = "sallyport:"

  /// The beginning of every script.
  private static let head = """
    local function session(key) return 'sallyport:session:' .. key end
    local function user(name) return 'sallyport:user:' .. name end
    local function tag(name) return 'sallyport:tag:' .. name end
    local all = 'sallyport:sessions'
    local function exists(key) return redis.call('EXISTS', session(key)) == 1 end
    local function remove(key)
      local found = redis.call('HMGET', session(key), 'user', 'tags')
      redis.call('DEL', session(key))
      redis.call('ZREM', all, key)
      if found[1] then redis.call('ZREM', user(found[1]), key) end
      for name in string.gmatch(found[2] or '', '%x+') do redis.call('ZREM', tag(name), key) end
    end

    """

  /// ARGV: KEY, USER, now, began, ends, idle, sealed, most of a user's, most at all, longest life of any session, tags, and the KEYs
  /// whose place it takes. Returns `began` and the KEYs that ended for it; or `full`, and then nothing has ended.
  static let begin =
    Self.head + """
      local key, name, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
      if exists(key) then return {'full'} end
      local left = math.min(tonumber(ARGV[6]), tonumber(ARGV[5]) - now)
      if left < 1 then return {'full'} end
      redis.call('ZREMRANGEBYSCORE', all, '-inf', now)
      local ending, isEnding, room = {}, {}, 0
      local function willEnd(other)
        ending[#ending + 1] = other
        isEnding[other] = true
        if redis.call('ZSCORE', all, other) then room = room + 1 end
      end
      for index = 12, #ARGV do
        if not isEnding[ARGV[index]] and exists(ARGV[index]) then willEnd(ARGV[index]) end
      end
      local own = {}
      for _, other in ipairs(redis.call('ZRANGE', user(name), 0, -1)) do
        if not exists(other) then redis.call('ZREM', user(name), other) elseif not isEnding[other] then own[#own + 1] = other end
      end
      for index = 1, #own - tonumber(ARGV[8]) + 1 do willEnd(own[index]) end
      if redis.call('ZCARD', all) - room >= tonumber(ARGV[9]) then return {'full'} end
      for _, other in ipairs(ending) do remove(other) end
      redis.call('HSET', session(key), 'user', name, 'tags', ARGV[11], 'began', ARGV[4], 'ends', ARGV[5], 'version', 1, 'sealed', ARGV[7])
      redis.call('PEXPIRE', session(key), left)
      redis.call('ZADD', all, now + left, key)
      redis.call('ZADD', user(name), now, key)
      redis.call('PEXPIRE', user(name), ARGV[10])
      for each in string.gmatch(ARGV[11], '%x+') do
        redis.call('ZREMRANGEBYSCORE', tag(each), '-inf', now)
        redis.call('ZADD', tag(each), ARGV[5], key)
        redis.call('PEXPIRE', tag(each), ARGV[10])
      end
      table.insert(ending, 1, 'began')
      return ending
      """

  /// ARGV: KEY, now, idle, lifetime. Returns user, tags, began, ends, version and sealed, or nothing.
  static let use =
    Self.head + """
      local key, now = ARGV[1], tonumber(ARGV[2])
      local found = redis.call('HMGET', session(key), 'user', 'tags', 'began', 'ends', 'version', 'sealed')
      if not found[1] or not tonumber(found[3]) or not tonumber(found[4]) then return nil end
      local ends = math.min(tonumber(found[4]), tonumber(found[3]) + tonumber(ARGV[4]))
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

  /// ARGV: KEYs.
  static let end = Self.head + "for _, key in ipairs(ARGV) do remove(key) end return 1"

  /// ARGV: where to begin. Returns where to go on, and for each session its KEY, when it was used, and what `use` returns.
  static let page =
    Self.head + """
      local page = redis.call('ZSCAN', all, ARGV[1], 'COUNT', 100)
      local answer = {page[1]}
      for index = 1, #page[2], 2 do
        local key = page[2][index]
        local found = redis.call('HMGET', session(key), 'user', 'tags', 'began', 'ends', 'version', 'sealed')
        if found[1] then
          table.insert(found, 1, redis.call('ZSCORE', user(found[1]), key) or found[3])
          table.insert(found, 1, key)
          answer[#answer + 1] = found
        end
      end
      return answer
      """

  /// ARGV: USER. Returns the KEYs.
  static let endAllOfUser = Self.head + Self.endAll(of: "user")

  /// ARGV: TAG. Returns the KEYs.
  static let endAllTagged = Self.head + Self.endAll(of: "tag")

  /// - Parameter kind: which of the functions of the head makes a key of the argument
  private static func endAll(of kind: String) -> String {
    """
    local ended = {}
    for _, key in ipairs(redis.call('ZRANGE', \(kind)(ARGV[1]), 0, -1)) do
      if exists(key) then ended[#ended + 1] = key end
      remove(key)
    end
    redis.call('DEL', \(kind)(ARGV[1]))
    return ended
    """
  }
}
