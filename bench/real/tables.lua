-- tables.lua - tables, closures and strings, and the collector behind them: tables.lua COUNT
local count = tonumber(arg[1])
local state = 4711
local function draw(limit)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % limit
end

local function account(name)
    local balance, log = 0, {}
    return {
        book = function(amount)
            balance = balance + amount
            log[#log + 1] = name .. ":" .. amount
            if #log > 20 then log = { table.concat(log, ","):sub(-60) } end
        end,
        balance = function() return balance, #log end,
    }
end

local accounts = {}
for i = 1, count do
    local name = "account" .. draw(3000)
    local one = accounts[name] or account(name)
    accounts[name] = one
    one.book(draw(1000) - 400)
    if i % 50 == 0 then accounts["account" .. draw(3000)] = nil end
end

local names = {}
for name in pairs(accounts) do names[#names + 1] = name end
table.sort(names)
local sum = 0
for _, name in ipairs(names) do
    local balance, length = accounts[name].balance()
    sum = (sum * 31 + balance * 7 + length) % 4294967291
end
print(#names, sum)
